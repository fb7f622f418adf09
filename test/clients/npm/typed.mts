// Uses the API through a client with the types of its description:
// openapi-typescript makes roster.d.ts, tsc compiles this file, and Node.js runs it with the URL of a service.
import createClient from 'openapi-fetch'
import type { components, paths } from './roster.js'

declare const process: { argv: string[] }

const client = createClient<paths>({ baseUrl: process.argv[2] })

// must returns what a call gave, which must have succeeded.
function must<T>(what: string, { data, error, response }: { data?: T; error?: unknown; response: Response }): T {
  if (!response.ok) throw new Error(`${what}: ${response.status} ${JSON.stringify(error)}`)
  return data as T
}

function same(what: string, got: unknown, want: unknown) {
  if (got !== want) throw new Error(`${what}: ${got}, want ${want}`)
}

const credentials = { email: 'ann@example.com', password: 'four wide purple boats' }
const names = { first_name: 'Ann', last_name: 'Lee' }

// @ts-expect-error: a registration without names does not compile
const bad = await client.POST('/api/users/', { body: credentials })
same('a registration without names', bad.response.status, 400)
const faults = bad.error as components['schemas']['FieldErrors']
same('the fault', faults.first_name?.[0], 'This field is required.')

const ann: components['schemas']['User'] = must('register', await client.POST('/api/users/', { body: { ...credentials, ...names } }))
same('last_login', ann.last_login, null)

const tokens = must('sign in', await client.POST('/api/token/', { body: credentials }))
client.use({
  onRequest({ request }) {
    request.headers.set('Authorization', `Bearer ${tokens.access}`)
    return request
  },
})

const page = must('list', await client.GET('/api/users/', { params: { query: { ordering: '-email', page_size: 10, is_active: true } } }))
same('the list', page.results.some((user) => user.id === ann.id), true)

const path = { id: ann.id }
const read = await client.GET('/api/users/{id}/', { params: { path } })
const version = { 'If-Match': read.response.headers.get('ETag') ?? '' }
const changed = must('change', await client.PATCH('/api/users/{id}/', { params: { path, header: version }, body: { first_name: 'Annabel' } }))
same('first_name', changed.first_name, 'Annabel')

const stale = await client.PATCH('/api/users/{id}/', { params: { path, header: version }, body: { first_name: 'Anna' } })
same('a change of an old version', stale.response.status, 412)

const renewed = must('refresh', await client.POST('/api/token/refresh/', { body: { refresh: tokens.refresh } }))
tokens.access = renewed.access

must('delete', await client.DELETE('/api/users/{id}/', { params: { path } }))
const gone = await client.GET('/api/users/me/')
same('the deleted user', gone.response.status, 401)
if (gone.error && 'code' in gone.error) same('code', gone.error.code, 'user_not_found')
console.log('ok')
