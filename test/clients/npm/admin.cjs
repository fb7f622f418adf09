// What react-admin does with ra-data-django-rest-framework: node admin.cjs URL [USERS], beside the administrator
const assert = require('node:assert/strict')

const [url, users = '27'] = process.argv.slice(2)
const all = Number(users) + 1
const stored = new Map()
globalThis.localStorage = {
  getItem: (name) => stored.get(name) ?? null,
  setItem: (name, value) => stored.set(name, String(value)),
  removeItem: (name) => stored.delete(name),
}
const drf = require('ra-data-django-rest-framework')

async function main() {
  // The provider for SimpleJWT sends {username, password}.
  const auth = drf.jwtTokenAuthProvider({ obtainAuthTokenUrl: url + '/api/token/' })
  await auth.login({ username: 'admin@example.com', password: 'four wide purple boats' })
  await auth.checkAuth()

  const data = drf.default(url + '/api', drf.fetchJsonWithAuthJWTToken)
  const ids = []
  for (let i = 1; i < all; i++) {
    const user = { email: `ra${i}@example.com`, password: 'four wide purple boats', first_name: 'Ra', last_name: i % 2 ? 'Odd' : 'Even' }
    ids.push((await data.create('users', { data: user })).data.id)
  }
  const list = (page, perPage, filter = {}) =>
    data.getList('users', { pagination: { page, perPage }, sort: { field: 'email', order: 'ASC' }, filter })

  // Every page that the table of react-admin offers has as many users as it says.
  for (const perPage of [5, 10, 25, 50, 100]) {
    const seen = new Set()
    for (let page = 1; page <= Math.ceil(all / perPage); page++) {
      const { data: shown, total } = await list(page, perPage)
      assert.equal(total, all)
      assert.equal(shown.length, Math.min(perPage, all - (page - 1) * perPage), `page ${page} of ${perPage} each`)
      shown.forEach((user) => seen.add(user.id))
    }
    assert.equal(seen.size, all, `users on pages of ${perPage}`)
  }
  const exact = await list(1, 25, { email: 'Admin@Example.com' })
  assert.deepEqual([exact.total, exact.data[0]?.email], [1, 'admin@example.com'])
  assert.equal((await list(1, 25, { email: 'nobody@example.com' })).total, 0)
  assert.equal((await list(1, 25, { is_staff: true })).total, 1)

  const { data: before } = await data.getOne('users', { id: ids[0] })
  const { data: after } = await data.update('users', { id: ids[0], data: { ...before, first_name: 'Changed' }, previousData: before })
  assert.equal(after.first_name, 'Changed')
  assert.equal((await data.getMany('users', { ids })).data.length, all - 1)
  await data.updateMany('users', { ids: ids.slice(1, 3), data: { last_name: 'Many' } })
  await data.delete('users', { id: ids[0], previousData: before })
  await data.deleteMany('users', { ids: ids.slice(1) })
  assert.equal((await list(1, 25)).total, 1)
}

main().catch((err) => {
  console.error(err, err.body)
  process.exit(1)
})
