/** The kernel's log, where programs that run before the journal leave their errors. Source: kernel `Documentation/ABI/testing/dev-kmsg`. */

/** syslog(3)'s LOG_DAEMON with LOG_ERR. */
const PRIORITY = 3 << 3 | 3;
/** The kernel cuts a record off a little later. */
const LINE_BYTES = 900;

/** Writes one error; where the device cannot be written nothing happens, since nobody is left to tell. */
export async function tellKernelLog(program: string, line: string, device = "/dev/kmsg"): Promise<void> {
  const record = new TextEncoder().encode(`<${PRIORITY}>${program}[${Deno.pid}]: ${line}`).subarray(0, LINE_BYTES);
  try {
    using file = await Deno.open(device, { write: true });
    await file.write(record); // a record is one write
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
