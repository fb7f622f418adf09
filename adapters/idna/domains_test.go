package idna_test

import (
	"strings"
	"testing"

	"roster/adapters/idna"
)

func TestToASCII(t *testing.T) {
	for in, want := range map[string]string{
		"example.com":                             "example.com",
		"Example.COM":                             "example.com",
		"bücher.example":                          "xn--bcher-kva.example",
		"BÜCHER.example":                          "xn--bcher-kva.example",
		"bu\u0308cher.example":                    "xn--bcher-kva.example", // not composed
		"xn--bcher-kva.example":                   "xn--bcher-kva.example",
		"XN--BCHER-KVA.example":                   "xn--bcher-kva.example",
		"straße.example":                          "xn--strae-oqa.example", // not strasse
		"ｅｘａｍｐｌｅ．com":                             "example.com",           // full width
		"例え。テスト":                                  "xn--r8jz45g.xn--zckzah",
		"пример.испытание":                        "xn--e1afmkfd.xn--80akhbyknj4f",
		"מבחן.example":                            "xn--5dbmtg.example",
		"न\u094d\u200dष.example":                  "xn--l2b4a0dw70k.example", // a joiner with an effect
		"\u212aelvin.example":                     "kelvin.example",          // the Kelvin sign
		strings.Repeat("ü", 40) + ".example":      "xn--tda" + strings.Repeat("a", 39) + ".example",
		strings.Repeat("ü", 60) + ".example":      "", // 63 at most, in ASCII
		"":                                        "",
		".":                                       "",
		"a..example":                              "",
		".example":                                "",
		"-bücher.example":                         "",
		"bücher-.example":                         "",
		"ab--ü.example":                           "",
		"bücher_x.example":                        "",
		"bü cher.example":                         "",
		"bücher\x00.example":                      "",
		"bü\u200dcher.example":                    "", // a joiner without an effect
		"a\u05d0.example":                         "", // left to right and right to left in one label
		"xn--a.example":                           "", // no punycode
		"xn--\u00fc.example":                      "",
		"\xff.example":                            "",
		"\ufffd.example":                          "",
		"\xed\xa0\x80.example":                    "", // a surrogate
		"\U000e0061ü.example":                     "", // a tag character
		strings.Repeat("ü", 600):                  "",
		strings.Repeat("bücher.", 40) + "example": "",
	} {
		got, err := idna.Domains{}.ToASCII(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ToASCII(%q) = %q, %v; want %q", in, got, err, want)
		}
		if again, err := (idna.Domains{}).ToASCII(got); got != "" && (again != got || err != nil) {
			t.Errorf("ToASCII(%q) = %q, %v", got, again, err)
		}
	}
}

func FuzzToASCII(f *testing.F) {
	for _, seed := range []string{"bücher.example", "例え。テスト", "xn--bcher-kva.example", "न\u094d\u200dष", "מבחן", "\xff", "ａ．ｂ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, domain string) {
		ascii, err := idna.Domains{}.ToASCII(domain)
		if err != nil {
			return
		}
		for _, c := range []byte(ascii) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
				t.Fatalf("ToASCII(%q) = %q", domain, ascii)
			}
		}
		if again, err := (idna.Domains{}).ToASCII(ascii); again != ascii || err != nil {
			t.Fatalf("ToASCII(%q) = %q, %v; of %q", ascii, again, err, domain)
		}
	})
}
