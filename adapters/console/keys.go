package console

import (
	"errors"
	"net/http"
	"net/url"

	"roster/domain/signing"
)

// The pages of the signing keys. Each action has a page that says what it does, with a form that does it.
const (
	keysPath   = "keys/"
	addPath    = keysPath + "add/"
	rotatePath = keysPath + "rotate/"
	retirePath = keysPath + "retire/"
)

// Inputs of these forms.
const (
	inputKey       = "key"
	inputAlgorithm = "algorithm"
)

var keyRoutes = []route{
	{http.MethodGet, keysPath, (*server).showKeys, false},
	{http.MethodGet, addPath, (*server).showAddKey, false},
	{http.MethodPost, addPath, (*server).addKey, false},
	{http.MethodGet, rotatePath, (*server).showRotate, false},
	{http.MethodPost, rotatePath, (*server).rotate, false},
	{http.MethodGet, retirePath, (*server).showRetire, false},
	{http.MethodPost, retirePath, (*server).retire, false},
}

// keyAction is a change of the keys before it is made.
type keyAction struct {
	title, button string
	effects       []string // what it does
	path          string
	key           string // "" for none
	algorithms    []string
	danger        bool
	confirm       string // the state that the page names, "" for none
	problem       string
}

// configured reports whether the keys are those of the settings: the service does not know when they were made.
func configured(keys []signing.Key) bool {
	return len(keys) > 0 && keys[0].Created.IsZero()
}

func (s *server) showKeys(w http.ResponseWriter, r *http.Request, v *visit) error {
	keys, err := s.Keys.List(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	return s.show(r.Context(), w, v, page{title: "Signing keys", section: keysPath, body: keysPage(v, keys)})
}

// showAction shows an action. After err it says what was wrong with it.
func (s *server) showAction(w http.ResponseWriter, r *http.Request, v *visit, a keyAction, err error) error {
	p := page{title: a.title, section: keysPath}
	if err != nil {
		problem := s.explain(w, r, err)
		p.status, p.title, a.problem = problem.status, "Error: "+a.title, problem.text
	}
	p.body = keyActionPage(v, a)
	return s.show(r.Context(), w, v, p)
}

// finish answers an action. A conflict is shown in place.
func (s *server) finish(w http.ResponseWriter, r *http.Request, v *visit, a keyAction, notice string, err error) error {
	for _, known := range []error{signing.ErrConfigured, signing.ErrSigns, signing.ErrInUse, signing.ErrAlgorithm} {
		if errors.Is(err, known) {
			return s.showAction(w, r, v, a, err)
		}
	}
	if err != nil {
		return err
	}
	return v.redirect(w, keysPath, notice)
}

var addAction = keyAction{
	title: "Add a signing key", button: "Add the key", path: addPath, algorithms: signing.Algorithms(),
	effects: []string{
		"A new key is made and published, and verifies tokens at once. All instances have it within seconds.",
		"It does not sign before you rotate to it. In between, other services and caches of the published keys can take it up.",
		"No user is signed out.",
	},
}

func (s *server) showAddKey(w http.ResponseWriter, r *http.Request, v *visit) error {
	return s.showAction(w, r, v, addAction, nil)
}

func (s *server) addKey(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := s.Keys.Add(r.Context(), v.Actor, r.PostForm.Get(inputAlgorithm))
	return s.finish(w, r, v, addAction, "key_added", err)
}

// keyOf returns a key by its id.
func (s *server) keyOf(r *http.Request, v *visit, id string) (signing.Key, error) {
	keys, err := s.Keys.List(r.Context(), v.Actor)
	if err != nil {
		return signing.Key{}, err
	}
	for _, k := range keys {
		if k.ID == id {
			return k, nil
		}
	}
	return signing.Key{}, signing.ErrUnknownKey
}

// rotateAction describes the rotation to a key, "" for the one added last or a new one.
func rotateAction(id string) keyAction {
	a := keyAction{title: "Rotate the signing key", button: "Rotate", path: rotatePath, key: id}
	first := "The key " + id + " signs tokens from now on."
	if id == "" {
		first = "The key added last signs tokens from now on. If none waits, a new one is made and signs."
	}
	a.effects = []string{
		first, "The present key goes on verifying, so the tokens that it signed stay valid. No user is signed out.",
		"All instances follow within seconds. You can rotate back.",
	}
	return a
}

func (s *server) showRotate(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := v.query.Get(inputKey)
	if id != "" {
		if _, err := s.keyOf(r, v, id); err != nil {
			return err
		}
	}
	return s.showAction(w, r, v, rotateAction(id), nil)
}

func (s *server) rotate(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := r.PostForm.Get(inputKey)
	_, err := s.Keys.Rotate(r.Context(), v.Actor, id)
	return s.finish(w, r, v, rotateAction(id), "key_rotated", err)
}

// retireAction describes the removal of a key in its state.
func retireAction(k signing.Key) keyAction {
	a := keyAction{
		title: "Retire a signing key", button: "Retire the key", path: retirePath, key: k.ID, danger: true, confirm: string(k.State),
	}
	a.effects = []string{"The key " + k.ID + " is deleted, and what it signed is refused from then on. This cannot be undone."}
	switch k.State {
	case signing.Verifying:
		a.effects = append(a.effects, "Tokens that it signed are valid until "+date(k.Until)+
			". Users that hold one and have no newer token are signed out. To sign out no user, wait until then.")
		a.button = "Retire it now and sign these users out"
	case signing.Added:
		a.effects = append(a.effects, "It has signed nothing, so no user is signed out.")
	case signing.Expired:
		a.effects = append(a.effects, "The last token that it signed has expired, so no user is signed out.")
	case signing.Signing:
		a.effects = []string{"This key signs. Rotate to another one first."}
	}
	return a
}

func (s *server) showRetire(w http.ResponseWriter, r *http.Request, v *visit) error {
	k, err := s.keyOf(r, v, v.query.Get(inputKey))
	if err != nil {
		return err
	}
	return s.showAction(w, r, v, retireAction(k), nil)
}

// retire removes a key, also one with valid tokens if the page said that it has.
func (s *server) retire(w http.ResponseWriter, r *http.Request, v *visit) error {
	k, err := s.keyOf(r, v, r.PostForm.Get(inputKey))
	if err != nil {
		return err
	}
	force := r.PostForm.Get(inputConfirm) == string(signing.Verifying)
	if _, err = s.Keys.Retire(r.Context(), v.Actor, k.ID, force); errors.Is(err, signing.ErrInUse) {
		if k, err := s.keyOf(r, v, k.ID); err == nil { // as it is now
			return s.showAction(w, r, v, retireAction(k), signing.ErrInUse)
		}
	}
	return s.finish(w, r, v, retireAction(k), "key_retired", err)
}

// keyStates are the states of keys in words.
var keyStates = map[signing.State]struct{ name, class, text string }{
	signing.Signing:   {"Signs", "good", "signs new tokens"},
	signing.Added:     {"Added", "special", "verifies, has not signed yet"},
	signing.Verifying: {"Verifies", "plain", "signed before; its tokens may be valid"},
	signing.Expired:   {"Expired", "waiting", "signed before; no token is valid any more"},
}

// ofKey returns the query of a page about a key.
func ofKey(k signing.Key) string { return "?" + url.Values{inputKey: {k.ID}}.Encode() }
