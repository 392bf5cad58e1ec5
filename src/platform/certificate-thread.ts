/**
 * A worker thread that makes an authority and what it is asked to sign (workerData: requests by name), and posts each as [name, pair].
 * A thread of its own, since to load the library takes as long as to load an API server.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { AUTHORITY, AUTHORITY_NAME, type CertificateRequest, selfSigned, signedBy } from './certificates.ts';

// Only `orderCertificates` starts this thread.
const requests = workerData as Readonly<Record<string, CertificateRequest>>;
const authority = await selfSigned(AUTHORITY_NAME);
parentPort?.postMessage([AUTHORITY, authority]);
for (const [name, request] of Object.entries(requests)) parentPort?.postMessage([name, await signedBy(authority, request)]);
