/** Which dray this is. */
import packageFile from '../../package.json' with { type: 'json' };
import { DEFAULT_EMULATED_VERSION } from './flags.ts';

/** Its version. */
export const VERSION = packageFile.version;

/** What `dray --version` prints: its own version and the Kubernetes that it behaves as unless told otherwise. */
export const VERSION_TEXT = `dray ${VERSION}, Kubernetes ${DEFAULT_EMULATED_VERSION}`;
