/**
 * controllers: what keeps the cluster's objects consistent with each other, each in a folder of its own.
 *
 * resourceclaim makes the claims that pods' templates ask for and takes claims back that nobody uses; devicetainteviction deletes
 * pods whose devices are tainted; resourcequota counts what quotas limit; clusterroleaggregation collects rules; namespace empties
 * namespaces that are to go; garbagecollector follows ownerReferences; serviceaccount and rootcacertpublisher give
 * every namespace what its pods need to speak to the API server; nodeipam gives nodes ranges of pod addresses. Each turns events into keys and brings what a key
 * names to what it should be, reading from shared informers; none knows of another, they meet in the API.
 */
export { runControllers, type ControllersOptions } from './run-controllers.ts';
export { claimForTemplate, generateNameFor } from './resourceclaim/claim-for-template.ts';
