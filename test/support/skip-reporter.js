/** Says at the end of a run which checks were skipped, and what they miss. Jest itself only counts them. */
module.exports = class SkipReporter {
  constructor(globalConfig) {
    /** Asked for by the person, with `-t`. */
    this.filtered = Boolean(globalConfig.testNamePattern);
  }

  onRunComplete(_contexts, results) {
    if (this.filtered) return;
    const skipped = results.testResults.flatMap((file) => file.testResults).filter((test) => test.status === 'pending');
    if (skipped.length === 0) return;
    const groups = [...new Set(skipped.map((test) => test.ancestorTitles.join(' > ') || test.title))];
    console.log(`\nSKIPPED, so not proven by this run: ${skipped.length} checks`);
    for (const group of groups) console.log(`  - ${group}`);
  }
};
