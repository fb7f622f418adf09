package django

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/user"
	"roster/ports/outbound"
)

// Python writes numbers that JSON does not have, such as NaN. No member accepts them.
func TestNumbersWithoutJSONForm(t *testing.T) {
	for name, c := range map[string]struct {
		pk, fields string
		want       outbound.RowFault
	}{
		"in other fields": {"1", `,"score":NaN,"list":[Infinity,-Infinity,{"a":NaN}],"text":"NaN, -Infinity \" Infinity"`, outbound.RowFault{}},
		"as a flag":       {"1", `,"is_active":NaN`, outbound.RowFault{Kind: outbound.RowMalformed, Text: "is_active is neither true nor false"}},
		"as a text":       {"1", `,"email":-Infinity`, outbound.RowFault{Kind: outbound.RowMalformed, Text: "email is not a text"}},
		"as a date":       {"1", `,"date_joined":Infinity`, outbound.RowFault{Kind: outbound.RowMalformed, Text: "date_joined is not a text"}},
		"as a key":        {"NaN", ``, outbound.RowFault{Kind: outbound.IDUnsupported, Text: "id is neither a positive number nor a UUID"}},
	} {
		for _, form := range []string{"[%s,%s]", "%s\n%s\n"} {
			other := `{"model":"shop.price","pk":1,"fields":{"rate":NaN,"low":-Infinity,"high":Infinity}}`
			got := read(t, Options{Source: file(t, fmt.Sprintf(form, other, fmt.Sprintf(oneRow, "a.user", c.pk, c.fields)))})
			if len(got) != 1 || got[0].Fault != c.want {
				t.Errorf("%s: %+v", name, got)
				continue
			}
			// The row can be read again.
			if again := read(t, Options{Source: file(t, string(got[0].Row))}); len(again) != 1 || again[0].Fault != c.want {
				t.Errorf("%s, again: %+v", name, again)
			}
		}
	}
	for _, broken := range []string{`[Na]`, `[NaM]`, `[Inf]`, `[nan]`, `-NaNny`, `"a"NaN`, `[-infinity]`, `[NaNN]`} {
		if _, err := Open(t.Context(), Options{Source: file(t, fmt.Sprintf(oneRow, "a.user", "1", `,"x":`+broken))}); err == nil {
			t.Errorf("%s is taken", broken)
		}
	}
}

// Labels of models are case-insensitive.
func TestLabelsHaveNoCase(t *testing.T) {
	ann, bob := fmt.Sprintf(oneRow, "accounts.User", "1", ""), fmt.Sprintf(oneRow, "Accounts.user", "2", "")
	old := fmt.Sprintf(oneRow, "accounts.HistoricalUser", "7", "")
	for _, o := range []Options{{}, {UserModel: "accounts.User"}, {UserModel: "ACCOUNTS.USER"}} {
		o.Source = file(t, "["+ann+","+old+","+bob+"]")
		if got := read(t, o); len(got) != 2 || got[0].ID != "1" || got[1].ID != "2" {
			t.Errorf("%q: %+v", o.UserModel, got)
		}
	}
	tokens := `{"model":"token_blacklist.OutstandingToken","pk":9,"fields":{"user":1,"token":"x","jti":"j","created_at":null,"expires_at":"2066-01-01T00:00:00Z"}}
{"model":"Token_Blacklist.BlacklistedToken","pk":1,"fields":{"token":9,"blacklisted_at":"2026-01-01T00:00:00Z"}}`
	if got := revoked(t, open(t, Options{Source: file(t, ann+"\n"+tokens)})); len(got) != 1 || got[0].ID != "j" {
		t.Errorf("%+v", got)
	}
}

// Revocations that match no token are visited, and do not end the import.
func TestRevocationsOfUnknownTokens(t *testing.T) {
	const ann = `{"model":"a.user","pk":1,"fields":{"password":"","last_login":null}}`
	blacklisted := func(pk int, token, at string) string {
		return fmt.Sprintf(`{"model":"token_blacklist.blacklistedtoken","pk":%d,"fields":{"token":%s,"blacklisted_at":%s}}`, pk, token, at)
	}
	outstanding := func(pk int, jti string) string {
		return fmt.Sprintf(`{"model":"token_blacklist.outstandingtoken","pk":%d,"fields":{"user":1,"token":"x","jti":%q,"created_at":null,"expires_at":"2066-01-01T00:00:00Z"}}`, pk, jti)
	}
	const when = `"2026-01-01T00:00:00Z"`
	s := open(t, Options{Source: file(t, strings.Join([]string{
		ann, outstanding(1, "known"), outstanding(2, ""), outstanding(3, "not listed"),
		blacklisted(1, "1", when), blacklisted(2, "2", when), blacklisted(3, "77", when), blacklisted(4, "null", `5`),
	}, "\n"))})
	var got []string
	for _, r := range revoked(t, s) {
		got = append(got, r.Location+" "+r.ID)
	}
	if want := "[object 2 known object 3  object 7  object 8 ]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	if _, n, err := s.Count(t.Context()); n != 4 || err != nil {
		t.Errorf("%d revocations, %v", n, err)
	}
	if got := users(t, s); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

// The last id of a source includes those of deleted users and of rejected rows, up to a bound that leaves enough for new
// users.
func TestLastIDLeavesRoom(t *testing.T) {
	const top = "9223372036854775807"
	payload := "e30.eyJ1c2VyX2lkIjo5MjIzMzcyMDM2ODU0Nzc1ODA3fQ.x" // {"user_id":9223372036854775807}
	rows := strings.Join([]string{
		fmt.Sprintf(oneRow, "a.user", "12", ""), fmt.Sprintf(oneRow, "a.user", top, ""),
		`{"model":"token_blacklist.outstandingtoken","pk":1,"fields":{"user":null,"token":"` + payload + `","jti":"j","created_at":null,"expires_at":"2066-01-01T00:00:00Z"}}`,
		`{"model":"token_blacklist.outstandingtoken","pk":2,"fields":{"user":30,"token":"x","jti":"k","created_at":null,"expires_at":"2066-01-01T00:00:00Z"}}`,
	}, "\n")
	if last, err := open(t, Options{Source: file(t, rows)}).LastUserID(t.Context()); last != 30 || err != nil {
		t.Errorf("a fixture: %d, %v", last, err)
	}
	path := filepath.Join(t.TempDir(), "db")
	makeSQLite(t, path, `CREATE TABLE a_user (id integer PRIMARY KEY AUTOINCREMENT, password text, last_login text, email text)`,
		`INSERT INTO a_user (id, password) VALUES (`+top+`, '!')`)
	if last, err := open(t, Options{Source: path}).LastUserID(t.Context()); last != 0 || err != nil {
		t.Errorf("a database: %d, %v", last, err)
	}
	if user.LastImportedID < 1<<62 {
		t.Error("ids of snowflakes do not fit")
	}
}

// The zero time means no date, so no date of a source is read as it.
func TestFirstInstantIsNoDate(t *testing.T) {
	for date, want := range map[string]outbound.FaultKind{
		`"0001-01-01T00:00:00Z"`: outbound.DateUnsupported, `"0001-01-01"`: outbound.DateUnsupported, `"0001-01-01 01:00:00+01:00"`: outbound.DateUnsupported,
		`"0001-01-01T00:00:00.000001Z"`: outbound.NoFault, `"0001-01-02T00:00:00Z"`: outbound.NoFault, `null`: outbound.NoFault,
	} {
		for _, member := range []string{"date_joined", "last_login"} {
			row := `{"model":"a.user","pk":1,"fields":{"password":"!","last_login":null,"` + member + `":` + date + `}}`
			if got := read(t, Options{Source: file(t, row)}); got[0].Fault.Kind != want {
				t.Errorf("%s %s: %+v", member, date, got[0].Fault)
			}
		}
	}
}

// A row that is too large is rejected, and one of another model is skipped.
func TestLargeRowsOfAFixture(t *testing.T) {
	large := strings.Repeat("x", maxObject)
	text := "[" + fmt.Sprintf(oneRow, "shop.picture", "1", `,"data":"`+large+`"`) + "," + fmt.Sprintf(oneRow, "a.user", "2", `,"bio":"`+large+`"`) + "," +
		fmt.Sprintf(oneRow, "a.user", "1", "") + "," + fmt.Sprintf(oneRow, "a.user", "3", `,"username":"`+large[:maxText+1]+`"`) + "]"
	got := read(t, Options{Source: file(t, text)})
	if len(got) != 3 || got[1].Fault.Kind != outbound.NoFault || got[0].ID != "2" || got[0].Fault.Kind != outbound.RowMalformed || got[0].Row != nil ||
		got[2].Fault.Text != "username has more than 4096 bytes" {
		for _, u := range got {
			t.Errorf("%s: %+v", u.ID, u.Fault)
		}
	}
	late := `[{"fields":{"password":"!","last_login":null,"data":"` + large + `"},"model":"a.user","pk":1}]`
	if got := read(t, Options{Source: file(t, late)}); len(got) != 1 || got[0].ID != "1" || got[0].Fault.Kind != outbound.RowMalformed {
		t.Errorf("an object whose model comes last: %d users", len(got))
	}
}

// The error for a file that is not JSON names its type.
func TestFilesOfOtherKinds(t *testing.T) {
	row := fmt.Sprintf(oneRow, "a.user", "1", `,"first_name":"é"`)
	utf16 := func(order string) string {
		var b strings.Builder
		for _, c := range row {
			pair := []byte{byte(c), byte(c >> 8)}
			if order == "BE" {
				pair[0], pair[1] = pair[1], pair[0]
			}
			b.Write(pair)
		}
		return b.String()
	}
	for name, c := range map[string]struct{ text, want string }{
		"windows-1252":      {strings.Replace("["+row+"]", "é", "\xe9", 1), "not in UTF-8"},
		"windows-1252, far": {"[" + row + strings.Replace(","+row+"]", "é", "\xe9", 1), "object 2: not in UTF-8"},
		"UTF-16":            {"\xff\xfe" + utf16("LE"), "utf-16le"},
		"UTF-16 BE":         {"\xfe\xff" + utf16("BE"), "utf-16be"},
		"UTF-16, no mark":   {utf16("LE"), "not valid JSON"},
		"UTF-16 BE, none":   {utf16("BE"), "application/octet-stream"},
		"UTF-32":            {"\xff\xfe\x00\x00[\x00\x00\x00", "utf-32le"},
		"CSV":               {"id,email,password\n1,a@example.com,!\n", "text/csv"},
		"CSV of Excel":      {"\ufeffid;email\r\n1;a@example.com\r\n", "text/plain"},
		"tabs":              {"id\temail\n", "text/plain"},
		"YAML":              {"- model: a.user\n  pk: 1\n", "text/plain"},
		"YAML, marked":      {"---\n- model: a.user\n", "text/plain"},
		"YAML, fields":      {"- fields: {email: a@example.com, password: '!'}\n  model: a.user\n", "text/plain"},
		"XML":               {"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<django-objects version=\"1.0\">", "text/xml"},
		"zip":               {"PK\x03\x04\x14\x00", "zip"},
		"xz":                {"\xfd7zXZ\x00\x00\x04", "xz"},
		"bzip2":             {"BZh91AY&SY", "bzip2"},
		"zstd":              {"\x28\xb5\x2f\xfd\x04", "zstd"},
		"tar":               {"users.json" + strings.Repeat("\x00", 247) + "ustar\x0000", "application/octet-stream"},
		"pg_dump":           {"--\n-- PostgreSQL database dump\n--\n", "text/plain"},
		"pg_dump -Fc":       {"PGDMP\x01\x0e", "application/octet-stream"},
		"mysqldump":         {"-- MySQL dump 10.13  Distrib 8.0\n", "text/plain"},
		"sqlite .dump":      {"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "text/plain"},
		"SQL":               {"INSERT INTO users_user (id, email) VALUES (1, 'a');\n", "text/plain"},
		"prose":             {"hello", "text/plain"},
		"empty":             {"", "empty"},
	} {
		path := file(t, c.text)
		for _, path := range []string{path, zipped(t, path)} {
			if _, err := Open(t.Context(), Options{Source: path}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	packed := zipped(t, "testdata/db.sqlite3")
	if _, err := Open(t.Context(), Options{Source: packed}); err == nil || !strings.Contains(err.Error(), "sqlite3") {
		t.Errorf("a packed database: %v", err)
	}
	if _, err := Open(t.Context(), Options{Source: zipped(t, zipped(t, "testdata/users.json"))}); err == nil || !strings.Contains(err.Error(), "application/gzip") {
		t.Errorf("packed twice: %v", err)
	}
}

// A time without an offset is in the zone of the options.
func TestOffsetsAndZones(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	makeSQLite(t, path, `CREATE TABLE a_user (id integer PRIMARY KEY, password text, last_login datetime, email text, date_joined datetime)`,
		`INSERT INTO a_user VALUES (1, '!', '2020-01-02 03:04:05+00:00', 'a@example.com', '2020-01-02 03:04:05')`,
		`INSERT INTO a_user VALUES (2, '!', '2020-01-02T03:04:05Z', 'b@example.com', '2020-01-02 05:04:05.5+0200')`)
	noon := func(h int) time.Time { return time.Date(2020, 1, 2, h, 4, 5, 0, time.UTC) }
	got := read(t, Options{Source: path, TimeZone: "Asia/Tokyo"})
	if len(got) != 2 || !got[0].LastLogin.Equal(noon(3)) || !got[0].Joined.Equal(noon(-6)) || !got[1].LastLogin.Equal(noon(3)) || !got[1].Joined.Equal(noon(3).Add(time.Second/2)) {
		t.Errorf("%+v", got)
	}
}

// A string that is longer than the maximum of an object is cut between two characters, and the text after it is read.
func TestLongStringsAreCut(t *testing.T) {
	for _, character := range []string{"x", "é", "😀", `\u00e9`, `\"`, `\\`, `\ud83d\ude00`} {
		in := &text{in: bufio.NewReader(strings.NewReader(`["` + strings.Repeat(character, maxObject/len(character)+100) + `", NaN, "b"]`))}
		out, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if len(out) > maxObject+50 || !jsontext.Value(out).IsValid(lenient) || !strings.HasSuffix(string(out), `", 1e9, "b"]`) {
			t.Errorf("%s: %d bytes, %q", character, len(out), out[max(0, len(out)-100):])
		}
	}
}
