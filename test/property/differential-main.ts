/** `npm run test:differential -- allocator|cel [options]`: random inputs put to dray and to upstream's libraries. */

const SUITES: ReadonlyMap<string, () => Promise<unknown>> = new Map([
  ['allocator', () => import('./allocator-differential.ts')],
  ['cel', () => import('./cel-differential.ts')],
]);

const suite = SUITES.get(process.argv[2] ?? '');
if (suite === undefined) {
  console.error(`usage: npm run test:differential -- ${[...SUITES.keys()].join('|')} [--count N] [--seed S]`);
  process.exit(1);
}
await suite();
