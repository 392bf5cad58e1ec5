/** The cluster role aggregation controller: writes into aggregated roles what the roles that they choose allow. */
import { CLUSTER_ROLES } from '#client';
import { nameOf, stringifyJson } from '#machinery';
import { Controller } from '#reconcile';
import { type ControllerContext, queueFor, synced } from '../controller-context.ts';
import { aggregatedRules } from './aggregated-rules.ts';

/** Runs until `signal` aborts. */
export async function runClusterRoleAggregation(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { client, logger, informers } = context;
  const roles = informers.of(CLUSTER_ROLES);
  const queue = queueFor(context, 'clusterrole_aggregation');
  // Any role may be chosen by any aggregated one.
  const changed = (): void => {
    for (const role of roles.lister.list()) if (role.aggregationRule !== undefined) queue.add(nameOf(role));
  };
  roles.addHandler({ added: changed, updated: changed, deleted: changed });
  await synced([roles], signal);
  changed();
  const reconcile = async (name: string): Promise<void> => {
    const role = roles.lister.get(name);
    const rules = role === undefined ? undefined : aggregatedRules(role, roles.lister.list());
    if (role === undefined || rules === undefined || stringifyJson(rules) === stringifyJson(role.rules ?? [])) return;
    await client.update(CLUSTER_ROLES, { ...role, rules });
  };
  await new Controller({ name: 'clusterroleaggregation', reconcile, queue, logger, workers: 1 }).run(signal);
}
