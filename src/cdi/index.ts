/**
 * cdi: the Container Device Interface: how a driver says, in a file, what a device means for a container.
 *
 * A driver writes a spec (`writeSpec`) with the edits that each device makes; the node agent hands qualified device names to the
 * runtime, which looks them up in the directories (`CdiCache`) and applies the edits to the container's OCI spec (`applyEdits`).
 * Behaviour follows the reference library 1.1.1 as recorded in test/vectors/cdi, except where it crashes or leaves things half
 * done: here a failed injection changes nothing.
 */
export { annotateDevices, parseDeviceAnnotations } from './annotations.ts';
export { CdiCache, type CdiProblems, type ResolvedSpec } from './cache.ts';
export { applyEdits } from './inject.ts';
export { isQualifiedName, parseQualifiedName, type QualifiedName, qualifiedName } from './name.ts';
export type { OciMount, OciSpec } from './oci.ts';
export { CdiError, type CdiDevice, type CdiSpec, type ContainerEdits, type DeviceNode, type Hook, type Mount } from './spec.ts';
export { parseSpec } from './parse.ts';
export { validateSpec } from './validate.ts';
export { minimumVersion } from './version.ts';
export { removeSpec, specFileName, writeSpec } from './writer.ts';
