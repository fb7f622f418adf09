// Shows the description of the API, and signs in: the tokens stay in the memory of this page alone.
'use strict'

const root = new URL('../../', location.href)
const element = (id) => document.getElementById(id)
let api // the description
let ui
let tokens // of the session, or undefined
let renewal // timer of the next refresh

// post sends an object to a path of the API, and returns the response's. It throws what the response says is wrong.
async function post(path, content) {
  const response = await fetch(new URL(path, root), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(content),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.detail ?? Object.values(answer).flat().join(' '))
  return answer
}

function show(text) {
  element('signed-in').value = text
  element('sign-out').hidden = !tokens
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
  tokens = undefined
  clearTimeout(renewal)
  ui.authActions.logout(['accessToken'])
  show(text)
}

element('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault()
  const email = element('email').value
  try {
    const [login] = api.components.schemas.Credentials.required
    use(await post('api/token/', { [login]: email, password: element('password').value }))
    element('password').value = ''
    show(`Signed in as ${email}`)
  } catch (err) {
    show(err.message)
  }
})

element('sign-out').addEventListener('click', async () => {
  const { refresh } = tokens
  forget('Signed out')
  try {
    await post('api/token/blacklist/', { refresh })
  } catch {
    // the session has ended already
  }
})

async function start() {
  const response = await fetch(new URL('api/schema/', root), { headers: { Accept: 'application/json' } })
  api = await response.json()
  api.servers = [{ url: root.href.replace(/\/$/, '') }] // this page may be open under another name than the public one
  ui = SwaggerUIBundle({
    spec: api, dom_id: '#swagger-ui', deepLinking: true, tryItOutEnabled: true, validatorUrl: null, queryConfigEnabled: false,
  })
}

start().catch((err) => show(err.message))
