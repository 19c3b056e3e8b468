import { type CollectionTag, LineCounter, parseDocument, type ScalarTag, YAMLMap, type YAMLParseError } from 'yaml';

/**
 * CloudFormation's functions that have a short form in YAML, and what stands in front of their names in the long form.
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

/** A resource's attribute may have dots of its own: `Database.Endpoint.Port`. */
function attributeOf(text: string): string[] {
  const [id = '', ...attribute] = text.split('.');
  return [id, attribute.join('.')];
}

/**
 * What a CloudFormation template in YAML says, its short forms written out. Words are read by YAML's core schema, as the CDK does:
 * `yes` stays a word, and a date is no date.
 *
 * @throws with the line and what is wrong there
 */
export function parseYaml(text: string, reviver?: (key: unknown, value: unknown) => unknown): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: 'core', merge: true, customTags: TAGS, lineCounter: lines });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw new Error(inOneLine(problem));
  return document.toJS({ reviver });
}

function inOneLine({ linePos, message }: Pick<YAMLParseError, 'linePos' | 'message'>): string {
  const what = (message.split('\n')[0] as string).replace(/ at line \d+, column \d+:?$|; please use YAML.*/, '');
  return linePos ? `line ${linePos[0].line}, column ${linePos[0].col}: ${what}` : what;
}
