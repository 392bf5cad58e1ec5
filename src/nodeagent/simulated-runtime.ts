/** A runtime that runs nothing: it shows what a container would have got. For any image. */
import type { Clock } from '#base';
import type { OciSpec } from '#cdi';
import type { HostFiles } from '#ports';
import type { ContainerExit, ContainerHandle, ContainerRequest, ContainerRuntime } from './runtime.ts';

/** Containers "run" until they are stopped; their log lists command, variables, devices and mounts; whoever may read logs need not be one who may read Secrets. */
export function simulatedRuntime(options: { readonly files: HostFiles; readonly clock: Clock }): ContainerRuntime {
  return {
    name: 'simulated',
    accepts: () => true,
    async start(request) {
      const text = describe(request.image, request.oci, new Date(options.clock.nowMs()).toISOString());
      await options.files.append(request.logFile, withoutSecrets(text, request.secrets));
      return handleOf(request);
    },
    // Nothing can have died in between.
    adopt: async (request) => handleOf(request),
  };
}

function handleOf({ podUid, containerName, attempt }: Pick<ContainerRequest, 'podUid' | 'containerName' | 'attempt'>): ContainerHandle {
  const { promise: exited, resolve } = Promise.withResolvers<ContainerExit>();
  return {
    id: `simulated://${podUid}-${containerName}-${attempt}`,
    exited,
    async stop() {
      resolve({ exitCode: 0 });
    },
  };
}

/** The log of a container that is not executed. */
function describe(image: string, oci: OciSpec, now: string): string {
  const args = Array.isArray(oci.process?.['args']) ? oci.process['args'] : [];
  const lines = [
    `${now} simulated runtime: image ${image} is not executed`,
    `command: ${args.length > 0 ? args.join(' ') : '(the image decides)'}`,
    ...(oci.process?.env ?? []).map((variable) => `env: ${variable}`),
    ...(oci.linux?.devices ?? []).map((device) => `device: ${device.path} ${device.type} ${device.major ?? 0}:${device.minor ?? 0}`),
    ...(oci.mounts ?? []).map((mount) => `mount: ${mount.source ?? ''} on ${mount.destination} ${(mount.options ?? []).join(',')}`.trimEnd()),
  ];
  return `${lines.join('\n')}\n`;
}

/** The longest first: one may be part of another. */
function withoutSecrets(text: string, secrets: ReadonlySet<string>): string {
  const values = [...secrets].filter((value) => value !== '').sort((a, b) => b.length - a.length);
  return values.reduce((shown, value) => shown.replaceAll(value, () => '(secret)'), text);
}
