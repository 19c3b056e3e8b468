// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation's own placeholders
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseTemplate } from '../../../tools/cloudformation/parse';

const blog = parseTemplate(readFileSync(join(__dirname, '../../fixtures/blog/blog.yaml'), 'utf8'));
const web = parseTemplate(readFileSync(join(__dirname, '../../fixtures/blog/web.yaml'), 'utf8'));

/** Parses a template with one property and returns the property's value. */
const property = (yaml: string) =>
  parseTemplate(`Resources:\n  A:\n    Type: T\n    Properties:\n      P: ${yaml}\n`).Resources.A?.Properties?.P;

test.each([
  ['!Ref A', { Ref: 'A' }],
  ['!GetAtt A.Arn', { 'Fn::GetAtt': ['A', 'Arn'] }],
  ['!GetAtt Db.Endpoint.Port', { 'Fn::GetAtt': ['Db', 'Endpoint.Port'] }],
  ['!GetAtt [Db, Endpoint.Port]', { 'Fn::GetAtt': ['Db', 'Endpoint.Port'] }],
  ['!Sub "${A}-x"', { 'Fn::Sub': '${A}-x' }],
  ['!Sub ["${X}", {X: !Ref A}]', { 'Fn::Sub': ['${X}', { X: { Ref: 'A' } }] }],
  ['!If [C, !Ref A, !Ref "AWS::NoValue"]', { 'Fn::If': ['C', { Ref: 'A' }, { Ref: 'AWS::NoValue' }] }],
  ['!Join ["-", [a, !Ref A]]', { 'Fn::Join': ['-', ['a', { Ref: 'A' }]] }],
  [
    '!Select [0, !Split [",", !ImportValue X]]',
    { 'Fn::Select': [0, { 'Fn::Split': [',', { 'Fn::ImportValue': 'X' }] }] },
  ],
  ['!FindInMap [M, !Ref "AWS::Region", K]', { 'Fn::FindInMap': ['M', { Ref: 'AWS::Region' }, 'K'] }],
  ['!GetAZs ""', { 'Fn::GetAZs': '' }],
  ['!Base64 {"Fn::Sub": x}', { 'Fn::Base64': { 'Fn::Sub': 'x' } }],
  ['!Cidr [!GetAtt V.CidrBlock, 4, 8]', { 'Fn::Cidr': [{ 'Fn::GetAtt': ['V', 'CidrBlock'] }, 4, 8] }],
  [
    '!And [!Condition A, !Not [!Equals [a, b]]]',
    {
      'Fn::And': [{ Condition: 'A' }, { 'Fn::Not': [{ 'Fn::Equals': ['a', 'b'] }] }],
    },
  ],
  ['!Or [!Condition A]', { 'Fn::Or': [{ Condition: 'A' }] }],
  ['!Transform {Name: AWS::Include}', { 'Fn::Transform': { Name: 'AWS::Include' } }],
  ['!ToJsonString {a: !Length [1, 2]}', { 'Fn::ToJsonString': { a: { 'Fn::Length': [1, 2] } } }],
  ['2012-10-17', '2012-10-17'],
  ['yes', 'yes'],
])('YAML: %s expands to its long form', (yaml, long) => {
  expect(property(yaml)).toEqual(long);
});

test('YAML comments, anchors, merge keys and block scalars are supported', () => {
  expect(blog.Resources.Web?.Properties?.Tags).toEqual(blog.Resources.Network?.Properties?.Tags);
  expect(blog.Resources.Database?.Properties?.Tags).toEqual([{ Key: 'Environment', Value: { Ref: 'Environment' } }]);
  expect(web.Resources.Template?.Properties?.LaunchTemplateData.UserData['Fn::Base64']['Fn::Sub']).toMatch(
    /^#!\/bin\/bash\n# .*\necho "DATABASE=\$\{Database\}" >> \$\{!HOME\}\/blog.env\n$/,
  );
});

test('an empty section counts as absent', () => {
  expect(parseTemplate('Parameters:\nConditions:\nResources:\n  A:\n    Type: T\n    Properties:\n')).toEqual({
    Resources: { A: { Type: 'T' } },
  });
});

test.each([
  ['Resources:\n  A:\n    Type: T\n  B\n', 'line 4, column 3: Implicit map keys need to be followed by map values'],
  ['Resources:\n  A: !Reff B\n', 'line 2, column 6: Unresolved tag: !Reff'],
  ['{"Resources": {\n  "A": {"Type": "T"}\n  "B": {}}}', 'line 3, column 3: Missing , between flow map items'],
  ['Resources:\n  A: {Type: T}\n  A: {Type: U}\n', 'line 3, column 3: Map keys must be unique'],
  ['Resources: {}\n---\nResources: {}\n', /^line \d, column \d: Source contains multiple documents$/],
  ['Resources:\n  A: *there\n', 'Unresolved alias (the anchor must be set before the alias): there'],
  ['', 'has no Resources'],
  ['[1]', 'has no Resources'],
  ['Resources: [1]', 'has no Resources'],
  ['Resources: {A: {Properties: {}}}', 'Resources/A: has no Type'],
  ['Parameters: {A: {Default: 1}}\nResources: {}', 'Parameters/A: has no Type'],
  ['Resources: {"Fn::ForEach::Topics": []}', /^Resources\/Fn::ForEach::Topics: macros are not supported/],
])('the error for %j is one line with the position', (text, problem) => {
  const read = () => parseTemplate(text);
  expect(read).toThrow(typeof problem === 'string' ? new Error(problem) : problem);
  expect(read).toThrow(/^[^\n]+$/);
});
