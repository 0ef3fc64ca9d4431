import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentRoutes, killswitchRoutes, openApi } from '../src/index.ts';
import { openSite, type Site } from './support/site.ts';

let site: Site;
beforeEach(async () => {
  site = await openSite();
});
afterEach(() => site.close());

describe('the OpenAPI document', () => {
  it('is a valid one of version 3.1, also with the routes of an orchestrator', async () => {
    const { body } = await site.call('nobody', 'GET', '/openapi.json');
    for (const document of [body, openApi([...killswitchRoutes, ...agentRoutes])]) {
      const validator = new Validator();
      expect(await validator.validate(document)).toMatchObject({ valid: true });
      expect(validator.version).toBe('3.1');
    }
    expect(await new Validator().validate({ ...body, paths: { 'no-slash': {} } })).toMatchObject({
      valid: false,
    });
  });

  it('names every route, its parameters, body and permission', async () => {
    const { body } = await site.call('root', 'GET', '/openapi.json');
    for (const route of killswitchRoutes) {
      const operation = body.paths[route.path.replaceAll(/:(\w+)/g, '{$1}')][route.method.toLowerCase()];
      expect(operation['x-permission']).toBe(route.permission);
      expect(operation.summary).toBe(route.summary);
      for (const name of [...Object.keys(route.params.shape), ...Object.keys(route.query.shape)])
        expect(operation.parameters.map((parameter: { name: string }) => parameter.name)).toContain(name);
    }
    const ids = Object.values<object>(body.paths).flatMap((path) =>
      Object.values<{ operationId: string }>(path as never).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});
