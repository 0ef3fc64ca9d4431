import ts from 'typescript';
import { replacementsOf } from './replacements.ts';

/** One small change to one file. */
export interface Mutant {
  /** Path below `packages/core/src`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The line that it begins on, trimmed. */
  readonly text: string;
  readonly from: string;
  readonly to: string;
  /** The changed file. */
  readonly source: string;
}

/** Every mutant of a file, in the order of the text. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.ESNext, true);
  const mutants: Mutant[] = [];
  const visit = (node: ts.Node): void => {
    if (isOutside(node)) return;
    for (const { start, end, to } of replacementsOf(node, parsed)) {
      const line = parsed.getLineAndCharacterOfPosition(start).line;
      mutants.push({
        file,
        line: line + 1,
        text: source.split('\n', line + 1)[line]?.trim() ?? '',
        from: source.slice(start, end),
        to,
        source: source.slice(0, start) + to + source.slice(end),
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return mutants;
}

/** Types, imports and the words of errors and warnings are no logic. */
function isOutside(node: ts.Node): boolean {
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true;
  if (ts.isNewExpression(node)) return node.expression.getText().endsWith('Error');
  // What a call on the outside world is called in errors.
  if (ts.isStringLiteral(node) && ts.isCallExpression(node.parent))
    return /\bask$|^withDeadline$/.test(node.parent.expression.getText());
  return (
    ts.isPropertyAssignment(node) &&
    ts.isObjectLiteralExpression(node.parent) &&
    node.name.getText() === 'message'
  );
}
