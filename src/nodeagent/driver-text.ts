/** Texts of drivers, which may be as long as a message of gRPC, in logs, events and errors. */

/** As much as an event holds (client-go and core/validation cut or refuse longer ones). */
const DRIVER_TEXT_LENGTH_MAX = 1024;

/** What a driver said, cut to a length that can be shown; where it was cut, how long it was. */
export function driverText(text: string): string {
  if (text.length <= DRIVER_TEXT_LENGTH_MAX) return text;
  return `${text.slice(0, DRIVER_TEXT_LENGTH_MAX)}… (cut: ${String(text.length)} characters)`;
}
