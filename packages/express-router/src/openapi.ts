import { z } from 'zod';
import { problemAnswer } from './answers.ts';
import { type Route, route } from './route.ts';

type Json = Record<string, unknown>;

/** An OpenAPI 3.1 document of a table of routes, made from the very schemas that check what is asked. */
export function openApi<Context>(routes: ReadonlyArray<Route<Context>>): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const each of routes) {
    const path = each.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [each.method.toLowerCase()]: operationOf(each, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'agent-killswitch', version: '1', license: { name: 'MIT', identifier: 'MIT' } },
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Or whatever the service authenticates with' },
      },
    },
  };
}

/** `GET /openapi.json`: the document of these routes and itself. */
export function openApiRoute<Context>(routes: ReadonlyArray<Route<Context>>): Route<Context> {
  let document: Json | undefined;
  const own: Route<Context> = route<Context>({
    method: 'GET',
    path: '/openapi.json',
    permission: 'own',
    summary: 'This document',
    answers: { 200: z.record(z.string(), z.unknown()).meta({ id: 'OpenApi' }) },
    handle: () => {
      document ??= openApi([...routes, own]);
      return { status: 200, body: document };
    },
  });
  return own;
}

function operationOf<Context>({ params, query, body, ...facts }: Route<Context>, schemas: Json): Json {
  const { summary, permission, method, path, answers } = facts;
  const words = path.split('/').filter((word) => word !== '' && !word.startsWith(':'));
  return {
    operationId: [method.toLowerCase(), ...words].join('-'),
    summary,
    'x-permission': permission,
    parameters: [
      ...parametersOf('path', params, schemas),
      ...parametersOf('query', query, schemas),
      // What can be previewed is a stop.
      ...('preview' in query.shape ? [idempotencyKey, prefer] : []),
      ...(Object.values(answers).includes('events') ? [lastEventId] : []),
    ],
    ...(body === undefined ? {} : { requestBody: { content: json(schemaOf(body, 'input', schemas)) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, responseOf(answer, schemas)]),
      ),
      default: {
        description: 'A problem (RFC 9457)',
        content: { 'application/problem+json': { schema: schemaOf(problemAnswer, 'output', schemas) } },
      },
    },
  };
}

const idempotencyKey = header(
  'Idempotency-Key',
  'Asked again with the same words under the same key, the same order is told of, and nothing is stopped again',
);
const prefer = header(
  'Prefer',
  'respond-async: answered as soon as the stop is in force, without waiting for deaths',
);
const lastEventId = header('Last-Event-ID', 'Events from there on are sent');

function header(name: string, description: string): Json {
  return { name, in: 'header', description, schema: { type: 'string' } };
}

function parametersOf(place: 'path' | 'query', shape: z.ZodObject, schemas: Json): Json[] {
  const { properties = {}, required = [] } = schemaOf(shape, 'input', schemas) as {
    properties?: Json;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema,
  }));
}

function responseOf(answer: z.ZodType | 'events', schemas: Json): Json {
  if (answer === 'events')
    return {
      description: 'Server-sent events',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    };
  return { description: 'Done, or under way', content: json(schemaOf(answer, 'output', schemas)) };
}

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}

/**
 * A schema as JSON Schema; what has an id in it goes once into `schemas` and is referred to. `input`: as it is asked for,
 * `output`: as it is answered.
 */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const made = JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
  const {
    $schema: _,
    $defs,
    ...rest
  } = JSON.parse(made.replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
  Object.assign(schemas, $defs);
  return rest;
}
