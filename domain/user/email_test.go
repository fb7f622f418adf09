package user_test

import (
	"errors"
	"strings"
	"testing"

	"roster/domain/user"
)

// toASCII replaces IDNA: it knows a few names and converts ASCII to lower case.
func toASCII(domain string) (string, error) {
	switch domain {
	case "bücher.example", "bu\u0308cher.example":
		return "xn--bcher-kva.example", nil
	case "ｅｘａｍｐｌｅ.com":
		return "example.com", nil
	case "leer.例え":
		return "leer.xn--r8jz45g", nil
	case "dot.例え":
		return "dot..xn--r8jz45g", nil
	}
	if strings.ContainsFunc(domain, func(r rune) bool { return r > 0x7F }) {
		return "", errors.New("unknown")
	}
	return strings.ToLower(domain), nil
}

func TestParseEmail(t *testing.T) {
	l63 := strings.Repeat("l", 63)
	for text, want := range map[string][2]string{ // as shown, and the key
		"zoe@example.com":                  {"zoe@example.com", "zoe@example.com"},
		" Zoe@Example.COM\u3000":           {"Zoe@example.com", "zoe@example.com"},
		"ZOE+tag@EXAMPLE.com":              {"ZOE+tag@example.com", "zoe+tag@example.com"},
		"!#$%&'*+-/=?^_`{|}~@x.yz":         {"!#$%&'*+-/=?^_`{|}~@x.yz", "!#$%&'*+-/=?^_`{|}~@x.yz"},
		"a.b.c@x.yz":                       {"a.b.c@x.yz", "a.b.c@x.yz"},
		"a@localhost":                      {"a@localhost", "a@localhost"},
		"a@example.123":                    {"a@example.123", "a@example.123"},
		"a@x.y-z":                          {"a@x.y-z", "a@x.y-z"},
		"a@x.-z":                           {"a@x.-z", "a@x.-z"},
		"a@" + l63 + "." + l63:             {"a@" + l63 + "." + l63, "a@" + l63 + "." + l63},
		"a@[127.0.0.1]":                    {"a@[127.0.0.1]", "a@[127.0.0.1]"},
		"a@[::1]":                          {"a@[::1]", "a@[::1]"},
		"a@[2001:DB8:0:0::1]":              {"a@[2001:db8:0:0::1]", "a@[2001:db8::1]"},
		"a@[::ffff:192.0.2.1]":             {"a@[::ffff:192.0.2.1]", "a@[192.0.2.1]"},
		"zoe@bücher.example":               {"zoe@bücher.example", "zoe@xn--bcher-kva.example"},
		"zoe@BÜCHER.example":               {"zoe@bücher.example", "zoe@xn--bcher-kva.example"},
		"zoe@bu\u0308cher.example":         {"zoe@bu\u0308cher.example", "zoe@xn--bcher-kva.example"},
		"zoe@xn--bcher-kva.example":        {"zoe@xn--bcher-kva.example", "zoe@xn--bcher-kva.example"},
		"zoe@ｅｘａｍｐｌｅ.com":                  {"zoe@ｅｘａｍｐｌｅ.com", "zoe@example.com"},
		"a@leer.例え":                        {"a@leer.例え", "a@leer.xn--r8jz45g"},
		`"Zoe"@x.yz`:                       {`"Zoe"@x.yz`, `zoe@x.yz`},
		`"Z\oe.d"@x.yz`:                    {`"Z\oe.d"@x.yz`, `zoe.d@x.yz`},
		`"a@b"@x.yz`:                       {`"a@b"@x.yz`, `"a@b"@x.yz`},
		`"a\@b"@x.yz`:                      {`"a\@b"@x.yz`, `"a@b"@x.yz`},
		`"a\ b"@x.yz`:                      {`"a\ b"@x.yz`, `"a\ b"@x.yz`},
		`"\"\\\a"@x.yz`:                    {`"\"\\\a"@x.yz`, `"\"\\a"@x.yz`},
		`""@x.yz`:                          {`""@x.yz`, `""@x.yz`},
		`".a"@x.yz`:                        {`".a"@x.yz`, `".a"@x.yz`},
		"zoe@\u212aelvin.com":              {"zoe@kelvin.com", "zoe@kelvin.com"},                                     // the Kelvin sign has the lower case k
		strings.Repeat("x", 300) + "@x.yz": {strings.Repeat("x", 300) + "@x.yz", strings.Repeat("x", 300) + "@x.yz"}, // EmailRule checks the length
	} {
		e, err := user.ParseEmail(text, toASCII)
		if err != nil || e.String() != want[0] || e.Key() != want[1] {
			t.Errorf("%q: %q, key %q, %v", text, e.String(), e.Key(), err)
		}
	}
	for _, text := range []string{
		"", " ", "@", "a", "a@", "@x.yz", "x.yz", "a@b", "a@x.y", "a@x..yz", "a@.x.yz", "a@x.yz.", "a@-x.yz", "a@x-.yz", "a@x.yz-", "a@x_y.yz", "a@x y.yz", "a @x.yz", "a b@x.yz",
		".a@x.yz", "a.@x.yz", "a..b@x.yz", "a@b@x.yz", "a,b@x.yz", "a:b@x.yz", "a;b@x.yz", "a<b>@x.yz", "Zoe <zoe@x.yz>", "<zoe@x.yz>", "zoe@x.yz,zoe@x.yz", "mailto:zoe@x.yz",
		"(c)a@x.yz", "a@x.yz(c)", `"a@x.yz`, `a"@x.yz`, `"a"b@x.yz`, `"a b"@x.yz`, `"a"b"@x.yz`, `"a\"@x.yz`, "é@x.yz", "zoë@x.yz", "мир@x.yz", "a\x00@x.yz", "a@x.yz\x00", "a\n@x.yz", "a@x\n.yz", "a\u0085@x.yz",
		"\"\x01\"@x.yz", "\"\\\t\"@x.yz", "\"\x7f\"@x.yz",
		"a@[127.0.0.1", "a@127.0.0.1]", "a@[127.0.0.256]", "a@[127.0.0.01]", "a@[1.2.3]", "a@[IPv6:::1]", "a@[fe80::1%eth0]", "a@[]", "a@[::g]", "a@[example.com]", "a@[1:2:3:4:5:6:7:8:9]",
		"a@" + strings.Repeat("l", 64) + ".yz", "a@x." + strings.Repeat("z", 64), "a@unknown-ü.example", "a@dot.例え",
		"a@x\u200b.yz", "a\u200b@x.yz", "a@x\u200d.yz", "a@x.yz\u200b", "\ufeffa@x.yz", "a@x\u202e.yz", "a@x\u00ad.yz", "a@x\u2060.yz", "a@x\ufe0f.yz", "a@x\u034f.yz", "a@x\u115f.yz", "a@x\u3164.yz",
		"a@x\u180e.yz", "a@x\u2800.yz", "a@x\U000e0041.yz", "a@x\U000e0100.yz", "a@x\ufffd.yz", "a@x\xff.yz", "a@x\xed\xa0\x80.yz", "a@x\u2028.yz", "a@x\ue000.yz", "a@x\u00a0.yz",
	} {
		if e, err := user.ParseEmail(text, toASCII); !errors.Is(err, user.ErrBadEmail) || e != (user.Email{}) {
			t.Errorf("%q: %q, %v", text, e.String(), err)
		}
	}
}

// Go's "$" must not match before a final line feed, as Python's does.
func TestEmailRefusesLineFeedAtTheEnd(t *testing.T) {
	for _, text := range []string{"a\n@x.yz", "\"a\"\n@x.yz", "a@x.yz\n.", "a@[::1]\n."} {
		if _, err := user.ParseEmail(text, toASCII); err == nil {
			t.Errorf("%q", text)
		}
	}
}

func TestEmailRule(t *testing.T) {
	if rule := user.EmailRule(true); rule.Max != 254 || rule.NotText != "Enter a valid email address." || rule.Name != "email" || !rule.Required || rule.KeepSpace {
		t.Errorf("%+v", rule)
	}
	if rule := user.NameRule(user.FieldLastName, false); rule.Max != 150 || rule.Name != "last_name" || rule.Required || rule.KeepSpace || rule.NotText != "" {
		t.Errorf("%+v", rule)
	}
}
