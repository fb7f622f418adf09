// Shows the description of the API, and signs in: with a cookie that no script can read, where the API has browser sessions,
// and otherwise with tokens that stay in the memory of this page alone.
'use strict'

const root = new URL('../../', location.href)
const element = (id) => document.getElementById(id)
let api // the description
let ui
let tokens // of the session, or undefined
let cookie = false // whether the browser has the cookie of a session
let renewal // timer of the next refresh

// send sends an object to a path of the API, and returns the response's. It throws what the response says is wrong, with the
// status.
async function send(method, path, content) {
  const response = await fetch(new URL(path, root), {
    method,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: content && JSON.stringify(content),
  })
  if (response.status === 204) return undefined
  const answer = await response.json()
  if (response.ok) return answer
  const message = answer.detail ?? Object.values(answer).flat().join(' ')
  throw Object.assign(new Error(message), { status: response.status })
}

const post = (path, content) => send('POST', path, content)

function show(text) {
  element('signed-in').value = text
  element('sign-out').hidden = !tokens && !cookie
}

// use authorizes the operations of the page with the tokens, and renews them half a minute before they end.
function use(next) {
  tokens = { ...tokens, ...next }
  const scheme = api.components.securitySchemes.accessToken
  ui.preauthorizeApiKey('accessToken', scheme.type === 'http' ? tokens.access : `${scheme['x-scheme']} ${tokens.access}`)
  const { exp } = JSON.parse(atob(tokens.access.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')))
  clearTimeout(renewal)
  renewal = setTimeout(renew, Math.max(exp * 1000 - Date.now() - 30_000, 1000))
}

async function renew() {
  try {
    use(await post('api/token/refresh/', { refresh: tokens.refresh }))
  } catch (err) {
    forget(`Signed out: ${err.message}`)
  }
}

function forget(text) {
  if (tokens) ui.authActions.logout(['accessToken'])
  tokens = undefined
  cookie = false
  clearTimeout(renewal)
  show(text)
}

// signIn signs in with a cookie, or with tokens where the API has none or refuses to set it, as over plain HTTP to another
// machine.
async function signIn(credentials) {
  if (api.components.securitySchemes.browserSession) {
    try {
      await post('api/session/', credentials)
      cookie = true
      return
    } catch (err) {
      if (err.status !== 403) throw err
    }
  }
  use(await post('api/token/', credentials))
}

element('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault()
  const email = element('email').value
  try {
    const [login] = api.components.schemas.Credentials.required
    await signIn({ [login]: email, password: element('password').value })
    element('password').value = ''
    show(`Signed in as ${email}`)
  } catch (err) {
    show(err.message)
  }
})

element('sign-out').addEventListener('click', async () => {
  const refresh = tokens?.refresh
  const bySession = cookie
  forget('Signed out')
  try {
    if (bySession) await send('DELETE', 'api/session/')
    if (refresh) await post('api/token/blacklist/', { refresh })
  } catch (err) {
    if (bySession) show(`Not signed out: ${err.message}`) // the session of tokens has ended already
  }
})

async function start() {
  const response = await fetch(new URL('api/schema/', root), { headers: { Accept: 'application/json' } })
  api = await response.json()
  api.servers = [{ url: root.href.replace(/\/$/, '') }] // this page may be open under another name than the public one
  ui = SwaggerUIBundle({
    spec: api, dom_id: '#swagger-ui', deepLinking: true, tryItOutEnabled: true, validatorUrl: null, queryConfigEnabled: false,
  })
  if (api.components.securitySchemes.browserSession) await resume()
}

// resume goes on with the session that the browser has, if any.
async function resume() {
  const response = await fetch(new URL('api/session/', root), { headers: { Accept: 'application/json' } })
  if (!response.ok) return
  const { user } = await response.json()
  cookie = true
  show(`Signed in as ${user.email}`)
}

start().catch((err) => show(err.message))
