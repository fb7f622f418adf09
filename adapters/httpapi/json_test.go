package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"roster/domain/field"
)

func TestJSONBodies(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}" }
	for name, c := range map[string]struct {
		body    string
		lenient bool
		status  int // 0: decoded
		says    string
	}{
		"an object":             {body: `{"email":"a"}`},
		"blanks around":         {body: " \t\r\n{}\n"},
		"depth 32":              {body: deep(31)},
		"depth 33":              {body: deep(32), status: 400, says: "nested too deeply"},
		"depth 100000":          {body: strings.Repeat("[", 30000), status: 400, says: "JSON parse error"},
		"duplicates":            {body: `{"a":1,"a":2}`, status: 400, says: "given twice"},
		"duplicates, inner":     {body: `{"a":{"b":1,"b":2}}`, status: 400, says: "given twice"},
		"duplicates, escaped":   {body: `{"a":1,"\u0061":2}`, status: 400, says: "given twice"},
		"duplicates, lenient":   {body: `{"a":1,"a":2}`, lenient: true},
		"two values":            {body: `{} {}`, status: 400, says: "JSON parse error"},
		"trailing comma":        {body: `{"a":1,}`, status: 400, says: "JSON parse error"},
		"NaN":                   {body: `{"a":NaN}`, status: 400, says: "JSON parse error"},
		"single quotes":         {body: `{'a':1}`, status: 400, says: "JSON parse error"},
		"comment":               {body: `{/**/}`, status: 400, says: "JSON parse error"},
		"byte order mark":       {body: "\ufeff{}", status: 400, says: "JSON parse error"},
		"not UTF-8":             {body: "{\"a\":\"\xff\"}", status: 400, says: "not in its charset"},
		"UTF-16":                {body: "{\x00}\x00", status: 400, says: "JSON parse error"},
		"raw control character": {body: "{\"a\":\"\n\"}", status: 400, says: "JSON parse error"},
		"only blanks":           {body: "  ", status: 400, says: "JSON parse error"},
		"a list":                {body: `[]`, status: 400, says: "Expected a dictionary, but got list."},
		"a text":                {body: `"x"`, status: 400, says: "but got str."},
		"an int":                {body: `-5`, status: 400, says: "but got int."},
		"a float":               {body: `1e3`, status: 400, says: "but got float."},
		"a bool":                {body: `false`, status: 400, says: "but got bool."},
		"null":                  {body: `null`, status: 400, says: "No data provided"},
		"a number of 5000":      {body: `{"a":` + strings.Repeat("9", 5000) + `}`, lenient: true, status: 400, says: "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeOne(c.lenient, "application/json", c.body)
			if c.status == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || explain(err).status != c.status || !strings.Contains(fmt.Sprint(explain(err)), c.says) {
				t.Errorf("got %+v, want %d with %q", explain(err), c.status, c.says)
			}
		})
	}
}

func TestJSONMembers(t *testing.T) {
	for name, c := range map[string]struct {
		value   string
		lenient bool
		want    field.Text
	}{
		"text":                  {`"a\u00e9\n\ud83d\ude00"`, false, field.Given("aé\n😀")},
		"lone surrogate":        {`"a\ud800b"`, false, field.Given("a\xed\xa0\x80b")},
		"low surrogate":         {`"\udc00\ud83d\ude00"`, false, field.Given("\xed\xb0\x80😀")},
		"null":                  {`null`, false, field.Null()},
		"truth":                 {`true`, true, field.NotText()},
		"list":                  {`["a"]`, true, field.NotText()},
		"object":                {`{"$ne":null}`, true, field.NotText()},
		"number, strictly":      {`5`, false, field.NotText()},
		"int":                   {`5`, true, field.Given("5")},
		"minus zero":            {`-0`, true, field.Given("0")},
		"float":                 {`1.5`, true, field.Given("1.5")},
		"whole float":           {`1.0`, true, field.Given("1.0")},
		"large float":           {`1e16`, true, field.Given("1e+16")},
		"not so large float":    {`1e15`, true, field.Given("1000000000000000.0")},
		"small float":           {`0.00001`, true, field.Given("1e-05")},
		"not so small float":    {`0.0001`, true, field.Given("0.0001")},
		"beyond a float":        {`1e999`, true, field.Given("inf")},
		"beyond a float, below": {`-1e999`, true, field.Given("-inf")},
		"great int":             {`123456789012345678901234567890`, true, field.Given("123456789012345678901234567890")},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := decodeOne(c.lenient, "application/json", `{"x":{"y":1},"a":`+c.value+`}`)
			if err != nil {
				t.Fatal(err)
			}
			rule := field.Rule{KeepSpace: true}
			got, gotOK, gotFaults := rule.Check(m["a"])
			want, wantOK, wantFaults := rule.Check(c.want)
			if got != want || gotOK != wantOK || fmt.Sprint(gotFaults) != fmt.Sprint(wantFaults) {
				t.Errorf("got %q %v %v, want %q %v %v", got, gotOK, gotFaults, want, wantOK, wantFaults)
			}
		})
	}
}

// Member names are compared byte by byte. Letters of other case, and those that Unicode folds to ASCII, such as the
// long s and the Kelvin sign, make another name.
func TestMemberNamesMatchExactly(t *testing.T) {
	for _, c := range []struct{ name, others string }{
		{"email", `"Email":"x","EMAIL":"x","email ":"x","\u0065mail\u0000":"x"`},
		{"is_staff", `"IS_STAFF":true,"Is_Staff":true,"is_\u017ftaff":true,"i\u017f_staff":true,"isStaff":true,"is-staff":true`},
		{"password", `"PASSWORD":"x","pas\u017fword":"x"`},
		{"token", `"to\u212aen":"x"`},
	} {
		m, err := decodeOne(false, "application/json", "{"+c.others+"}")
		if err != nil || m[c.name].Present() {
			t.Errorf("%s: a member of another name was used: %v %v", c.name, m, err)
		}
		if m, err = decodeOne(false, "application/json", "{"+c.others+`,"`+c.name+`":"y"}`); err != nil || m[c.name].Value() != "y" {
			t.Errorf("%s: not found beside others: %v %v", c.name, m, err)
		}
	}
}
