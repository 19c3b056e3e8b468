/**
 * The direction of imports: bin -> tools -> lib/phases -> lib/tiers -> aws-cdk-lib, and the shop in app/ apart from all of them.
 * `npm run lint` runs these rules; each comment says what the rule protects.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
const CDK = '(^|/)node_modules/(aws-cdk-lib|constructs|cdk-nag)/';

/** The packages of a fresh CDK project. */
const FRESH_PROJECT = '(^|/)node_modules/(aws-cdk-lib|constructs)/';

/** CDK-free facts about the phases that tools read: sizes, order, users. */
const PHASE_FACTS = '^lib/phases/(phases|sizes|transitions)\\.ts$';

/** Programs and browser scripts that are started by path, so that no file imports them. */
const STARTED_BY_PATH = [
  '^app/(server|worker|move)\\.ts$',
  '^tools/rehearsal/traffic/generator\\.ts$',
  '^tools/rehearsal/programs/kill-at-step\\.js$',
  '^tools/rehearsal/board/page/',
  '^tools/bench/(bare-server|constant-rate)\\.ts$',
];

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Move the shared type or function into a file that both sides import.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that no other file imports is dead. Entry points are no orphans.',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: ['^bin/', '\\.cjs$', ...STARTED_BY_PATH],
      },
      to: {},
    },
    {
      name: 'every-file-is-reachable',
      comment: 'A file that no entry point reaches is dead, even if it imports others.',
      severity: 'error',
      from: { path: ['^bin/', ...STARTED_BY_PATH] },
      to: { path: '^(app|lib|tools)/', pathNot: STARTED_BY_PATH, reachable: false },
    },
    {
      name: 'no-unresolvable',
      comment: 'Every import must resolve from the packages in package.json.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'nothing-imports-an-entry-point',
      comment: 'bin/ holds entry points only. Code that two of them share belongs in tools/.',
      severity: 'error',
      from: { path: '^(app|lib|tools)/' },
      to: { path: '^(bin|test)/' },
    },
    {
      name: 'the-command-line-loads-no-cdk',
      comment:
        'Loading aws-cdk-lib takes seconds. Of the entry points, only the CDK app bin/shop.ts imports constructs.',
      severity: 'error',
      from: { path: '^bin/', pathNot: '^bin/shop\\.ts$' },
      to: { path: ['^app/', '^lib/(tiers|monitoring)/', '^lib/phases/phase-', CDK] },
    },
    {
      name: 'facts-of-phases-load-no-cdk',
      comment: 'Tools read these facts, so they must not load the CDK through them.',
      severity: 'error',
      from: { path: PHASE_FACTS },
      to: { pathNot: PHASE_FACTS },
    },
    {
      name: 'lib-stands-below-tools-and-app',
      comment: 'lib/ deploys and is copied into other projects, so it drags neither the tools nor the shop behind it.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(app|tools)/' },
    },
    {
      name: 'a-tier-stands-alone',
      comment: 'A tier file, with lib/constants.ts, compiles in a fresh CDK project. test/copy.test.ts proves it.',
      severity: 'error',
      from: { path: '^lib/tiers/([^/]+)' },
      // A tier may be a folder with several files.
      to: { path: '^lib/', pathNot: ['^lib/constants\\.ts$', '^lib/tiers/$1/'] },
    },
    {
      name: 'lib-needs-only-the-cdk',
      comment: 'Tiers, phases and monitoring import no package but aws-cdk-lib and constructs.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { dependencyTypesNot: ['core', 'local'], pathNot: ['^lib/', FRESH_PROJECT] },
    },
    {
      name: 'monitoring-imports-no-phase',
      comment: 'Alarms and widgets are made for a tier, so that they work in any phase.',
      severity: 'error',
      from: { path: '^lib/monitoring/' },
      to: { path: '^lib/phases/' },
    },
    {
      name: 'constants-import-nothing',
      comment: 'Cloud and app share these timeouts; both must be able to read them.',
      severity: 'error',
      from: { path: '^lib/constants\\.ts$' },
      to: {},
    },
    {
      name: 'the-app-imports-itself-and-the-constants',
      comment: 'The shop is bundled and shipped; it imports neither the CDK nor the tools.',
      severity: 'error',
      from: { path: '^app/' },
      to: { path: ['^(bin|lib|tools|test)/', CDK], pathNot: '^lib/constants\\.ts$' },
    },
    {
      name: 'a-middleware-stands-alone',
      comment: 'Any Express app can copy one of these files. test/copy.test.ts proves it.',
      severity: 'error',
      from: {
        path: '^app/(http/(fast-path|lifecycle|load-shedding|message-classes|observe|read-your-writes)|sessions/session-client)\\.ts$',
      },
      to: {
        dependencyTypesNot: ['core'],
        pathNot: '(^|/)node_modules/(@types/)?(cookie|cookie-signature|express)/',
      },
    },
    {
      name: 'the-app-imports-no-dev-dependency',
      comment: 'What the bundle contains is a dependency, so that audits see it.',
      severity: 'error',
      from: { path: '^app/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
    {
      name: 'one-module-opens-the-database',
      comment: 'All SQL goes through app/data/db.ts: replicas and pools are decided there.',
      severity: 'error',
      from: { path: '^app/', pathNot: '^app/data/db\\.ts$' },
      to: { path: '(^|/)node_modules/(@types/)?pg/' },
    },
    {
      name: 'pages-read-no-data',
      comment: 'Pages render the values that routes pass to them.',
      severity: 'error',
      from: { path: '^app/pages/' },
      to: { path: '^app/(data|sessions|jobs)/' },
    },
    {
      name: 'one-module-opens-redis',
      comment: 'Timeouts, READONLY handling and failover of every Redis connection are decided in app/data/redis.ts.',
      severity: 'error',
      from: { path: '^app/', pathNot: '^app/data/redis\\.ts$' },
      to: { path: '(^|/)node_modules/(redis|@redis)/' },
    },
    {
      name: 'tools-run-the-cdk-as-a-program',
      comment:
        'Loading aws-cdk-lib takes seconds. Tools read templates that the CDK CLI wrote, and so work on any project.',
      severity: 'error',
      from: { path: '^tools/' },
      to: { path: CDK },
    },
    {
      name: 'tools-read-facts-of-phases-only',
      comment: 'Tools read the CDK-free facts about the phases, never a construct.',
      severity: 'error',
      from: { path: '^tools/' },
      to: { path: '^lib/', pathNot: ['^lib/constants\\.ts$', PHASE_FACTS] },
    },
    {
      name: 'tools-run-the-bundled-app',
      comment:
        'A rehearsal starts the same bundle as a server does. Only data is read from the source: the catalog and the schemas. Baselines of benchmarks may use a file that stands alone.',
      severity: 'error',
      from: { path: '^tools/' },
      to: {
        path: '^app/',
        pathNot: '^app/(data/catalogue\\.json|routes/schemas\\.ts|limits\\.ts|http/message-classes\\.ts)$',
      },
    },
    {
      name: 'the-planner-is-arithmetic',
      comment: 'Template in, figures out. Only the planner’s commands run other tools, such as the CDK CLI.',
      severity: 'error',
      from: { path: '^tools/planner/', pathNot: '^tools/planner/commands/' },
      to: {
        path: '^tools/',
        pathNot: [
          '^tools/planner/(?!commands/)',
          '^tools/cloudformation/(template|resolve)\\.ts$',
          '^tools/support/(table|usage-error|aws-access)\\.ts$',
        ],
      },
    },
    {
      name: 'support-stands-below-every-tool',
      comment: 'Every tool may import support; support imports no tool.',
      severity: 'error',
      from: { path: '^tools/support/' },
      to: { path: '^tools/', pathNot: '^tools/support/' },
    },
    {
      name: 'programs-stand-below-the-topology',
      comment: 'Programs are started one by one; the topology combines them; traffic visits what it started.',
      severity: 'error',
      from: { path: '^tools/rehearsal/programs/' },
      to: { path: '^tools/rehearsal/', pathNot: '^tools/rehearsal/programs/' },
    },
    {
      name: 'the-topology-stands-below-its-users',
      comment: 'A topology neither sends traffic nor judges it.',
      severity: 'error',
      from: { path: '^tools/rehearsal/topology/' },
      to: { path: '^tools/rehearsal/', pathNot: '^tools/rehearsal/(topology|programs)/' },
    },
    {
      name: 'traffic-imports-no-topology',
      comment: 'The load generator sees URLs only, as a visitor does.',
      severity: 'error',
      from: { path: '^tools/rehearsal/traffic/' },
      to: { path: '^tools/rehearsal/', pathNot: '^tools/rehearsal/(traffic|programs)/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    // Type imports count: they are what holds folders in circles.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
