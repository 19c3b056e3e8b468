/** Lists the skipped tests at the end of a run. Jest only counts them. */
module.exports = class SkipReporter {
  constructor(globalConfig) {
    /** The user filtered tests with `-t`. */
    this.filtered = Boolean(globalConfig.testNamePattern);
  }

  onRunComplete(_contexts, results) {
    if (this.filtered) return;
    const skipped = results.testResults.flatMap((file) => file.testResults).filter((test) => test.status === 'pending');
    if (skipped.length === 0) return;
    const groups = [...new Set(skipped.map((test) => test.ancestorTitles.join(' > ') || test.title))];
    console.log(`\nSKIPPED, not verified by this run: ${skipped.length} tests`);
    for (const group of groups) console.log(`  - ${group}`);
  }
};
