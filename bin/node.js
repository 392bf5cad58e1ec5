// Runs one of the checkout's tools on a suitable Node: node bin/node.js tools/check.ts.
import { launch } from './launch.js';

launch(process.argv[2], process.argv.slice(3));
