/** `dray get`: prints the Tables that the server makes, or the objects themselves. */
import { asError } from '#base';
import { pathOf, type RestClient } from '#client';
import type { ApiObject } from '#machinery';
import { Discovery } from './discovery.ts';
import { exchange, queryOf } from './exchange.ts';
import { acceptOf, checkTargets, type GetFormat, type GetOptions, isTable, tableStyle } from './get-options.ts';
import { documentText, listText, namesText, typed } from './object-text.ts';
import { type Table, TablePrinter } from './table.ts';
import { type Target, targetsOf } from './targets.ts';
import { type Terminal, throwTogether } from './terminal.ts';

/** Prints what is there. Names that are not there are thrown after the others were printed. */
export async function get(client: RestClient, options: GetOptions, terminal: Terminal): Promise<void> {
  const targets = await targetsOf(new Discovery(client), options.words);
  checkTargets(targets, options);
  const failures: Error[] = [];
  const answers: Answer[] = [];
  for (const target of targets) {
    const documents: unknown[] = [];
    for (const path of pathsOf(target, options)) {
      await exchange(client, path, { headers: acceptOf(options) }).then(
        (document) => documents.push(document),
        (error: unknown) => failures.push(asError(error)),
      );
    }
    answers.push({ target, documents });
  }
  const { format } = options;
  const text = isTable(format) ? tablesText(answers, options) : objectsText(answers, format);
  if (text !== '') terminal.out(text);
  else if (failures.length === 0) terminal.err(nothingText(targets, options));
  throwTogether(failures);
}

/** What the server answered about a target: its list, or one document per name that is there. */
interface Answer {
  readonly target: Target;
  readonly documents: readonly unknown[];
}

function pathsOf({ resource, names }: Target, { namespace, labelSelector, fieldSelector }: GetOptions): readonly string[] {
  if (names.length > 0) return names.map((name) => pathOf(resource, namespace, name));
  return [pathOf(resource, namespace) + queryOf({ labelSelector, fieldSelector })];
}

/** One table per resource, a line between them. */
function tablesText(answers: readonly Answer[], options: GetOptions): string {
  return answers
    .map(({ target, documents }) => {
      const printer = new TablePrinter(tableStyle(target.resource, options, answers.length > 1));
      // The server answers Tables because it was asked for them.
      return printer.print(...(documents as readonly Table[]));
    })
    .filter((text) => text !== '')
    .join('\n');
}

/** An object that was asked for by its name as itself, everything else as a List, be it empty. */
function objectsText(answers: readonly Answer[], format: Exclude<GetFormat, 'table' | 'wide'>): string {
  if (format === 'name') return answers.map((answer) => namesText(answer.target.resource, objectsOf(answer))).join('');
  const objects = answers.flatMap(objectsOf);
  const [first] = objects;
  const names = answers.flatMap(({ target }) => target.names);
  if (names.length !== 1 || answers.length !== 1) return names.length > 0 && first === undefined ? '' : listText(objects, format);
  return first === undefined ? '' : documentText(first, format);
}

function objectsOf({ target, documents }: Answer): readonly ApiObject[] {
  // To requests for JSON the server answers an object or a list of objects.
  const answered = documents as readonly (ApiObject & { readonly items?: readonly ApiObject[] })[];
  return answered.flatMap((document) => document.items ?? [document]).map((object) => typed(target.resource, object));
}

/** kubectl's sentence for an empty answer. */
function nothingText(targets: readonly Target[], { namespace }: GetOptions): string {
  const anywhere = namespace === undefined || targets.every((target) => !target.resource.namespaced);
  return anywhere ? 'No resources found\n' : `No resources found in ${namespace} namespace.\n`;
}
