/** The service account controller: every namespace has the account that its pods run as unless they name another (upstream: pkg/controller/serviceaccount). */
import { SERVICE_ACCOUNTS } from '#client';
import type { ControllerContext } from '../controller-context.ts';
import { keepInNamespaces } from '../namespace-objects.ts';

/** Runs until `signal` aborts. */
export function runServiceAccountController(context: ControllerContext, signal: AbortSignal): Promise<void> {
  return keepInNamespaces(context, { controller: 'serviceaccount', resource: SERVICE_ACCOUNTS, wanted: { metadata: { name: 'default' } } }, signal);
}
