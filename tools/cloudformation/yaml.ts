import { type CollectionTag, LineCounter, parseDocument, type ScalarTag, YAMLMap, type YAMLParseError } from 'yaml';

/**
 * CloudFormation's functions with a short form in YAML, and the prefix of their full names.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */
const FUNCTIONS: Readonly<Record<string, '' | 'Fn::'>> = {
  Ref: '',
  Condition: '',
  And: 'Fn::',
  Base64: 'Fn::',
  Cidr: 'Fn::',
  Contains: 'Fn::',
  EachMemberEquals: 'Fn::',
  EachMemberIn: 'Fn::',
  Equals: 'Fn::',
  FindInMap: 'Fn::',
  GetAZs: 'Fn::',
  GetAtt: 'Fn::',
  If: 'Fn::',
  ImportValue: 'Fn::',
  Join: 'Fn::',
  Length: 'Fn::',
  Not: 'Fn::',
  Or: 'Fn::',
  RefAll: 'Fn::',
  Select: 'Fn::',
  Split: 'Fn::',
  Sub: 'Fn::',
  ToJsonString: 'Fn::',
  Transform: 'Fn::',
  ValueOf: 'Fn::',
  ValueOfAll: 'Fn::',
};

const TAGS = Object.entries(FUNCTIONS).flatMap(([name, prefix]): (ScalarTag | CollectionTag)[] => {
  const tag = `!${name}`;
  const long = `${prefix}${name}`;
  const around = (node: unknown) => {
    const map = new YAMLMap();
    map.set(long, node);
    return map;
  };
  return [
    { tag, resolve: (text) => ({ [long]: name === 'GetAtt' ? attributeOf(text) : text }) },
    { tag, collection: 'seq', resolve: around },
    { tag, collection: 'map', resolve: around },
  ];
});

/** Splits at the first dot only, because attributes may contain dots: `Database.Endpoint.Port`. */
function attributeOf(text: string): string[] {
  const [id = '', ...attribute] = text.split('.');
  return [id, attribute.join('.')];
}

/**
 * Parses a CloudFormation template in YAML and expands the short forms of functions. Uses YAML's core schema, like the CDK: `yes`
 * and dates stay strings.
 *
 * @throws Error with a one-line message that includes the position
 */
export function parseYaml(text: string, reviver?: (key: unknown, value: unknown) => unknown): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: 'core', merge: true, customTags: TAGS, lineCounter: lines });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw new Error(inOneLine(problem));
  return document.toJS({ reviver });
}

function inOneLine({ linePos, message }: Pick<YAMLParseError, 'linePos' | 'message'>): string {
  const problem = (message.split('\n')[0] as string).replace(/ at line \d+, column \d+:?$|; please use YAML.*/, '');
  return linePos ? `line ${linePos[0].line}, column ${linePos[0].col}: ${problem}` : problem;
}
