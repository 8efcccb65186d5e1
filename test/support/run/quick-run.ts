/** Set by `npm run test:quick` for its test processes. */
export const QUICK_VARIABLE = "TORIKOMI_TEST_QUICK";

/** Throws in a quick run: its tests were chosen because they need neither a database server nor a browser. */
export function refuseInQuickRun(what: string): void {
  if (process.env[QUICK_VARIABLE] === undefined) return;
  throw new Error(
    `npm run test:quick has no ${what}: see test/support/run/files.ts on how it chooses its tests`,
  );
}
