/** Progress while a cluster starts: one line per component with the time since the process started. */

/** Prints `component  what happened  seconds`. */
export type Progress = (component: string, text: string) => void;

const COMPONENT_WIDTH = 20;
const TEXT_WIDTH = 56;

/** Progress lines on `stream`. Loading the program counts: whoever waits for it waits for that, too. */
export function progressTo(stream: { write(text: string): unknown }): Progress {
  return (component, text) => {
    const seconds = (performance.now() / 1000).toFixed(2);
    stream.write(`${component.padEnd(COMPONENT_WIDTH)}${text.padEnd(TEXT_WIDTH)} ${seconds} s\n`);
  };
}
