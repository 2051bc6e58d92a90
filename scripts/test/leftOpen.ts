/** Sooner than the stage loses its patience. */
const afterMs = 45_000;

/** Says what keeps this process from ending, once the tests have been over for a while. Does not keep it itself. */
export function reportLeftOpen(): void {
  setTimeout(() => {
    const counts = Map.groupBy(process.getActiveResourcesInfo(), (kind) => kind);
    const open = [...counts].map(([kind, all]) => `${all.length} × ${kind}`);
    console.error(`still open after the last test: ${open.join(', ') || 'nothing that Node.js knows of'}`);
  }, afterMs).unref();
}
