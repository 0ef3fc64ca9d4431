import { InvalidInputError, parseInput } from '@agent-killswitch/core';
import { z } from 'zod';
import type { HandlerContext, HttpRequest, HttpResponse, Permission } from './http.ts';

type Shape = z.ZodObject;
type Empty = z.ZodObject<Record<never, never>>;

/** What a route asks for and answers, as schemas; what OpenAPI says of it is made from them. */
interface RouteFacts {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** In Express notation, below the mount point. */
  readonly path: string;
  readonly permission: Permission;
  /** One line for people. */
  readonly summary: string;
  /** By status, what is answered; problems go without saying. `'events'` are server-sent ones. */
  readonly answers: Readonly<Record<number, z.ZodType | 'events'>>;
}

/** One endpoint, as tables of them hold it. Made by {@link route}. */
export interface Route<Context = HandlerContext> extends RouteFacts {
  readonly params: Shape;
  readonly query: Shape;
  /** Absent: the endpoint takes no body. */
  readonly body?: z.ZodType | undefined;
  /** @throws InvalidInputError for what is not of these shapes. */
  handle(context: Context, request: HttpRequest): Promise<HttpResponse>;
}

type Handler<Context, Input> = (
  context: Context,
  input: Input,
  request: HttpRequest,
) => Promise<HttpResponse> | HttpResponse;

interface RouteDefinition<Context, P extends Shape, Q extends Shape, B extends z.ZodType> extends RouteFacts {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Makes the route take `?preview=true`, which is answered by this, without effect and without a body. */
  readonly preview?: Handler<Context, z.output<P> & z.output<Q>>;
  readonly handle: Handler<Context, z.output<P> & z.output<Q> & z.output<B>>;
}

const previewQuery = { preview: z.enum(['true', 'false']).optional() };

/** An endpoint whose handler gets path, query and body checked and in one object. Unknown parameters are refused. */
export function route<
  Context = HandlerContext,
  P extends Shape = Empty,
  Q extends Shape = Empty,
  B extends z.ZodType = Empty,
>(definition: RouteDefinition<Context, P, Q, B>): Route<Context> {
  const {
    preview,
    handle,
    params = z.strictObject({}),
    query: asked = z.strictObject({}),
    body,
    ...facts
  } = definition;
  const query = z.strictObject({ ...asked.shape, ...(preview === undefined ? {} : previewQuery) });
  return {
    ...facts,
    params,
    query,
    body,
    async handle(context, request) {
      const { preview: wanted, ...parameters } = {
        ...parseInput('path', params, request.params),
        ...parseInput('query', query, request.query),
      };
      const input = parameters as z.output<P> & z.output<Q>;
      if (preview !== undefined && wanted === 'true') return preview(context, input, request);
      const given = body === undefined ? {} : (parseInput('body', body, request.body ?? {}) as object);
      refuseTwoAnswers(input, given);
      return handle(context, { ...input, ...given } as z.output<P> & z.output<Q> & z.output<B>, request);
    },
  };
}

/** @throws InvalidInputError if the address says one thing and the body another */
function refuseTwoAnswers(address: Readonly<Record<string, unknown>>, body: object): void {
  const two = Object.entries(body).filter(
    ([name, value]) => address[name] !== undefined && value !== undefined && address[name] !== value,
  );
  if (two.length > 0)
    throw new InvalidInputError(
      'request',
      two.map(([name]) => `${name}: the address and the body give different ones`),
    );
}
