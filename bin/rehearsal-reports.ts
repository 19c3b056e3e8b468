import { makeReports } from '../tools/docs/make-reports';

/** `npm run docs:rehearsals [-- NAME...]`: runs the rehearsals of the docs and writes their reports. */
process.exitCode = makeReports(process.argv.slice(2));
