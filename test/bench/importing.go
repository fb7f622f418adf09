package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"roster/test/support/process"
)

// importedUsers is how many users the rate of imports is measured with.
const importedUsers = 50_000

// imports tells how many users a second are imported into the embedded database, and how many are seen
// to be unchanged when that is done again.
func imports(binary, dir string) error {
	data, err := os.MkdirTemp(dir, "import")
	if err != nil {
		return err
	}
	file := filepath.Join(data, "users.jsonl")
	if err := writeFixture(file, importedUsers); err != nil {
		return err
	}
	o := process.Options{Binary: binary, DataDir: data}
	for _, what := range []string{"import django, new users", "import django, unchanged"} {
		begun := time.Now()
		out, err := o.Run("", "import", "django", file)
		if err != nil {
			return err
		}
		if out.Code != 0 {
			return fmt.Errorf("import django: exit code %d\n%s", out.Code, out.Stderr)
		}
		fmt.Printf("%s  %.0f users/s (%d users, SQLite)\n", what, importedUsers/time.Since(begun).Seconds(), importedUsers)
	}
	return nil
}

// writeFixture writes n users of Django as JSON lines.
func writeFixture(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for i := 1; i <= n; i++ {
		fmt.Fprintf(w, `{"model":"auth.user","pk":%d,"fields":{"password":"pbkdf2_sha256$260000$salt%d$h1zyMeV61CgB1CY59Gwz26Lc4DWhAaKm0Py6ISyjLbY=",`+
			`"last_login":null,"is_superuser":false,"username":"user%d","email":"user%d@example.com","first_name":"Ann","last_name":"Lee","is_staff":false,"is_active":true,`+
			`"date_joined":"2021-03-01T08:00:00.123Z"}}`+"\n", i, i, i, i)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
