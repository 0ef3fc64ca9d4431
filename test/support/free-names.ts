import { parseAst } from 'vite';

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}
type Scope = ReadonlySet<string>;

/**
 * What a module or script in JavaScript takes from its surroundings: names that it does not declare itself, members of
 * `globalThis` (`globalThis.crypto`), and the impure parts of built-ins, `Date.now`, `new Date` and `Math.random`.
 */
export function freeNames(code: string): Set<string> {
  const found = new Set<string>();
  visit(parseAst(code) as unknown as Node, [], found);
  return found;
}

function visit(node: Node, scopes: readonly Scope[], found: Set<string>): void {
  const inner = [...scopes, declaredBy(node)];
  if (node.type === 'Identifier' && !scopes.some((scope) => scope.has(String(node.name)))) {
    found.add(String(node.name));
  }
  note(node, found);
  for (const [key, child] of children(node)) {
    const isName = (key === 'property' || key === 'key') && node.computed === false;
    const isReexport = key === 'specifiers' && isNode(node.source);
    const isLabel = key === 'label' || node.type === 'MetaProperty';
    const isSpecifier =
      /^(Import|Export)\w*Specifier$/.test(node.type) && (key === 'imported' || key === 'exported');
    if (!isName && !isLabel && !isSpecifier && !isReexport) visit(child, inner, found);
    // `{ a }` is a name and a value in one.
    else if (isName && node.shorthand === true) visit(child, inner, found);
  }
}

/** Uses that a name alone does not show. */
function note(node: Node, found: Set<string>): void {
  const base = nameOf(node.object);
  if (node.type === 'MemberExpression' && node.computed === false && base !== undefined) {
    const text = `${base}.${nameOf(node.property)}`;
    if (base === 'globalThis' || text === 'Date.now' || text === 'Math.random') found.add(text);
  }
  if (node.type === 'NewExpression' && nameOf(node.callee) === 'Date') found.add('new Date');
}

function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' ? String(node.name) : undefined;
}

/** The names that a node brings into scope for everything within it. */
function declaredBy(node: Node): Scope {
  const names = new Set<string>();
  if (/Function/.test(node.type)) {
    if (node.type !== 'ArrowFunctionExpression') names.add('arguments');
    bind(node.id, names);
    for (const parameter of nodesIn(node.params)) bind(parameter, names);
    hoist(node.body, names);
  }
  if (node.type === 'Program') hoist(node, names);
  if (/^Class/.test(node.type)) bind(node.id, names);
  if (node.type === 'CatchClause') bind(node.param, names);
  for (const statement of statementsOf(node)) declare(statement, names);
  return names;
}

function statementsOf(node: Node): Node[] {
  if (node.type === 'SwitchStatement') return nodesIn(node.cases).flatMap((each) => nodesIn(each.consequent));
  if (/^For/.test(node.type)) return nodesIn([node.init, node.left]);
  return ['Program', 'BlockStatement', 'StaticBlock'].includes(node.type) ? nodesIn(node.body) : [];
}

function declare(statement: Node, names: Set<string>): void {
  if (isNode(statement.declaration)) declare(statement.declaration, names);
  if (statement.type === 'VariableDeclaration')
    for (const each of nodesIn(statement.declarations)) bind(each.id, names);
  if (/Declaration$/.test(statement.type)) bind(statement.id, names);
  if (statement.type === 'ImportDeclaration')
    for (const each of nodesIn(statement.specifiers)) bind(each.local, names);
}

/** `var` anywhere in a function, but not in a function within it. */
function hoist(node: unknown, names: Set<string>): void {
  if (!isNode(node)) return;
  if (node.type === 'VariableDeclaration' && node.kind === 'var') declare(node, names);
  for (const [, child] of children(node)) if (!/Function/.test(child.type)) hoist(child, names);
}

/** The names that a pattern binds. */
function bind(pattern: unknown, names: Set<string>): void {
  if (!isNode(pattern)) return;
  const { type } = pattern;
  if (type === 'Identifier') names.add(String(pattern.name));
  else if (type === 'AssignmentPattern') bind(pattern.left, names);
  else if (type === 'RestElement') bind(pattern.argument, names);
  else if (type === 'Property') bind(pattern.value, names);
  else if (type === 'ArrayPattern') for (const each of nodesIn(pattern.elements)) bind(each, names);
  else if (type === 'ObjectPattern') for (const each of nodesIn(pattern.properties)) bind(each, names);
}

function children(node: Node): Array<[key: string, child: Node]> {
  return Object.entries(node).flatMap(([key, value]) =>
    nodesIn(Array.isArray(value) ? value : [value]).map((child): [string, Node] => [key, child]),
  );
}

function nodesIn(values: unknown): Node[] {
  return Array.isArray(values) ? values.filter(isNode) : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}
