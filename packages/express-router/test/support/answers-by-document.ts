import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** Says what is wrong with an answer by an OpenAPI document; `undefined` if nothing is. */
export function checkAnswers(document: { readonly paths: Record<string, Record<string, unknown>> }) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
  const known = new Map<string, ValidateFunction>();
  return (method: string, path: string, status: number, type: string, body: unknown): string | undefined => {
    const template = Object.keys(document.paths).find((each) => patternOf(each).test(path));
    const operation = document.paths[template ?? '']?.[method.toLowerCase()] as {
      responses: Record<string, unknown>;
    };
    if (template === undefined || operation === undefined) return `${method} ${path} is not in the document`;
    const answer = operation.responses[status] === undefined ? 'default' : String(status);
    const pointer = ['paths', template, method.toLowerCase(), 'responses', answer, 'content', type, 'schema']
      .map((word) => encodeURIComponent(word.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const uri = `openapi#/${pointer}`;
    let validate = known.get(uri);
    if (validate === undefined) {
      try {
        validate = ajv.compile({ $ref: uri });
      } catch (error) {
        return `${method} ${path} → ${status} ${type} is not in the document: ${error}`;
      }
      known.set(uri, validate);
    }
    return validate(body) ? undefined : `${method} ${path} → ${status}: ${ajv.errorsText(validate.errors)}`;
  };
}

function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`);
}
