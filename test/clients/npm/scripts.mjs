// What scripts with axios and fetch send: node scripts.mjs URL
import assert from 'node:assert/strict'
import axios from 'axios'

const [url] = process.argv.slice(2)
const user = { username: 'admin@example.com', password: 'four wide purple boats' }

// A path without its closing slash is redirected, and the method kept.
const { data: tokens } = await axios.post(url + '/api/token', user)
assert.ok(tokens.access)
const bearer = { Authorization: 'Bearer ' + tokens.access }
const made = await axios.post(url + '/api/users', { email: 'ax@example.com', password: user.password, first_name: 'A', last_name: 'X' })
assert.equal(made.status, 201)
const changed = await axios.patch(`${url}/api/users/${made.data.id}`, { first_name: 'B' }, { headers: bearer })
assert.equal(changed.data.first_name, 'B')
assert.equal((await axios.delete(`${url}/api/users/${made.data.id}`, { headers: bearer })).status, 204)
const fetched = await fetch(url + '/api/token', {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(user),
})
assert.equal(fetched.status, 200)

// The password form of OAuth 2 (RFC 6749, 4.3.2).
const form = await fetch(url + '/api/token/', {
  method: 'POST', body: new URLSearchParams({ grant_type: 'password', ...user }),
})
assert.equal(form.status, 200)
assert.ok((await form.json()).access)
