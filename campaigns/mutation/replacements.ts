import ts from 'typescript';

/** What stands from `start` to `end`, and is replaced by `to`. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly to: string;
}

const operators: Readonly<Record<string, readonly string[]>> = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '+=': ['-='],
  '-=': ['+='],
  '??=': ['='],
};
const calls: Readonly<Record<string, string>> = { min: 'max', max: 'min', some: 'every', every: 'some' };
/** Calls that leave their list as it is when they are taken away. */
const narrowing = new Set(['filter', 'slice', 'sort', 'reverse']);

/** The changes that are made at a node, not below it. */
export function replacementsOf(node: ts.Node, file: ts.SourceFile): Replacement[] {
  const [start, end] = [node.getStart(file), node.getEnd()];
  const by = (...texts: string[]): Replacement[] => texts.map((to) => ({ start, end, to }));
  const at = (inner: ts.Node, to: string): Replacement => ({
    start: inner.getStart(file),
    end: inner.getEnd(),
    to,
  });
  if (ts.isIfStatement(node)) return [at(node.expression, 'true'), at(node.expression, 'false')];
  if (ts.isWhileStatement(node) || ts.isDoStatement(node)) return [at(node.expression, 'false')];
  if (ts.isForStatement(node)) return node.condition === undefined ? [] : [at(node.condition, 'false')];
  if (ts.isConditionalExpression(node)) return [at(node.condition, 'true'), at(node.condition, 'false')];
  if (ts.isBinaryExpression(node)) return binary(node, at, by);
  if (ts.isPrefixUnaryExpression(node)) return prefix(node, by, at);
  if (ts.isPostfixUnaryExpression(node))
    return by(node.operand.getText() + (node.getText().endsWith('++') ? '--' : '++'));
  if (node.kind === ts.SyntaxKind.TrueKeyword) return by('false');
  if (node.kind === ts.SyntaxKind.FalseKeyword) return by('true');
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node))
    return isName(node) ? [] : by(node.text === '' ? "'x'" : "''");
  if (ts.isTemplateExpression(node)) return by("''");
  if (ts.isNumericLiteral(node)) return by(node.text === '0' ? '1' : '0');
  if (ts.isArrayLiteralExpression(node)) return node.elements.length > 0 ? by('[]') : [];
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) || ts.isCallExpression(node))
    return access(node, file, by);
  if (ts.isSpreadAssignment(node)) return by('...{}');
  return statement(node, by);
}

function binary(
  node: ts.BinaryExpression,
  at: (inner: ts.Node, to: string) => Replacement,
  by: (...texts: string[]) => Replacement[],
): Replacement[] {
  const operator = node.operatorToken.getText();
  if (operator === '??') return by(node.left.getText(), node.right.getText());
  return (operators[operator] ?? []).map((to) => at(node.operatorToken, to));
}

function prefix(
  node: ts.PrefixUnaryExpression,
  by: (...texts: string[]) => Replacement[],
  at: (inner: ts.Node, to: string) => Replacement,
): Replacement[] {
  void at;
  return node.operator === ts.SyntaxKind.ExclamationToken || node.operator === ts.SyntaxKind.MinusToken
    ? by(node.operand.getText())
    : [];
}

function access(
  node: ts.PropertyAccessExpression | ts.ElementAccessExpression | ts.CallExpression,
  file: ts.SourceFile,
  by: (...texts: string[]) => Replacement[],
): Replacement[] {
  const made: Replacement[] = [];
  if (node.questionDotToken !== undefined) {
    const { questionDotToken: dot } = node;
    made.push({
      start: dot.getStart(file),
      end: dot.getEnd(),
      to: ts.isPropertyAccessExpression(node) ? '.' : '',
    });
  }
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return made;
  const { name, expression } = node.expression;
  const other = calls[name.text];
  if (other !== undefined) made.push({ start: name.getStart(file), end: name.getEnd(), to: other });
  if (narrowing.has(name.text)) made.push(...by(expression.getText()));
  return made;
}

function statement(node: ts.Node, by: (...texts: string[]) => Replacement[]): Replacement[] {
  if (ts.isExpressionStatement(node)) return by(';');
  if (ts.isThrowStatement(node) || ts.isContinueStatement(node) || ts.isBreakStatement(node))
    return ts.isCaseOrDefaultClause(node.parent) ? [] : by(';');
  if (ts.isReturnStatement(node)) {
    if (node.expression === undefined) return by(';');
    // What is asked for `false` is told by `undefined` as well; that it becomes `true` is a change of its own.
    return ['undefined', 'false'].includes(node.expression.getText()) ? [] : by('return undefined as never;');
  }
  return [];
}

/** Names of properties and modules. */
function isName(node: ts.Node): boolean {
  return (
    (ts.isPropertyAssignment(node.parent) && node.parent.name === node) || ts.isLiteralTypeNode(node.parent)
  );
}
