import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createOpenApi } from '../../../src/api/openApi.ts'
import type { Route } from '../../../src/api/route.ts'
import { routes } from '../../../src/api/routes/routes.ts'

type Operation = {
  operationId: string
  parameters: { name: string; in: string; required: boolean; schema: object }[]
  responses: Record<string, { description: string }>
}
const document = createOpenApi() as { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, object> } }

test('the committed document is what the routes say', () => {
  const committed = JSON.parse(readFileSync('src/api/openapi.json', 'utf8'))
  expect(committed, 'run `node .ci/generateOpenApi.ts`').toEqual(document)
})

test('every route is in it once, with its errors by status', () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path))
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(routes).sort())
  for (const operation of operations) {
    const route: Route = routes[operation.operationId as keyof typeof routes]
    for (const error of route.errors) expect(operation.responses[error.httpStatus]?.description).toContain(error.code)
    const inPath = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `:${name}`)
    expect(inPath).toEqual(route.path.match(/:\w+/g) ?? [])
  }
})

test('numbers over 2^53 are decimal strings in it', () => {
  expect(JSON.stringify(document.components.schemas.Assignment)).toContain('"seed":{"type":"string","pattern":"^(?:0|[1-9]\\\\d{0,77})$"')
})

test('every reference in it leads somewhere', () => {
  const references = JSON.stringify(document).match(/"#\/components\/schemas\/\w+"/g) ?? []
  const targets = new Set(references.map((reference) => reference.slice('"#/components/schemas/'.length, -1)))
  expect([...targets].sort()).toEqual(Object.keys(document.components.schemas).sort())
  expect(JSON.stringify(document)).not.toContain('$defs')
})
