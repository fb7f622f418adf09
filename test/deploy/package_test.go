package deploy

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func get(t *testing.T, url string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// command runs a program to its end, which must be good.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// packaged builds the Debian package of the present commit in a new folder, and returns its path.
func packaged(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "roster")
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	command(t, root, "git", "clone", "--quiet", "--no-hardlinks", repository, dir)
	command(t, dir, "make", "deb")
	found, err := filepath.Glob(filepath.Join(dir, "dist", "*.deb"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	return found[0]
}

// install is a script that installs a package in a copy of this system that ends with it, runs the service as its user
// with the environment of the unit, and purges the package. $1 is an empty directory, $2 the package, $3 the variables.
const install = `set -eu
mount --make-rprivate /
mount -t tmpfs -o size=256m none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --bind /proc "$1/root/proc"
mount -t tmpfs none "$1/root/run"
cp "$2" "$1/root/roster.deb"
exec chroot "$1/root" sh -euc '
cd /
dpkg -i --force-unsafe-io /roster.deb
[ "$(stat -c "%U %a" /var/lib/roster)" = "roster 700" ]
[ "$(stat -c "%U %G %a" /etc/roster/roster.yaml)" = "root roster 640" ]
run() { exec setpriv --reuid=roster --regid=roster --clear-groups env -i $1 ROSTER_ADMIN_LISTEN=off ROSTER_LISTEN=127.0.0.1:28475 roster "$2"; }
run "$1" serve & service=$!
until (run "$1" health); do kill -0 $service; done
(run "$1" version)
dpkg -i --force-unsafe-io /roster.deb # an upgrade keeps the settings and the data
kill $service
wait $service
[ "$(stat -c %U /var/lib/roster/roster.db)" = roster ]
dpkg -P --force-unsafe-io roster
[ ! -e /usr/bin/roster ]
[ ! -e /etc/roster/roster.yaml ]
[ -e /var/lib/roster/roster.db ]
echo installed, served and purged
' sh "$3"
`

// Two builds of the package, in two folders, have the same bytes. It installs, its service runs as its own user, and what
// is left of it after a purge are the data.
func TestDebianPackage(t *testing.T) {
	for _, tool := range []string{"git", "make", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	if !exists(".git") {
		t.Skip("the version of a package is that of git")
	}
	first, second := packaged(t), packaged(t)
	one, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(first) != filepath.Base(second) || !bytes.Equal(one, two) {
		t.Errorf("%s and %s differ", first, second)
	}
	listing := command(t, ".", "dpkg-deb", "-c", first)
	for _, want := range []string{"root/root", "./usr/bin/roster\n", "./lib/systemd/system/roster.service\n", "-rw-r-----"} {
		if !strings.Contains(listing, want) {
			t.Errorf("%q is not in the list of the package:\n%s", want, listing)
		}
	}

	var env []string
	for name, value := range environmentOf(sources(t)[unitFile]) {
		env = append(env, name+"="+value)
	}
	if os.Geteuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("only root can install it")
	}
	probe := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-ec", strings.Join(strings.Split(install, "\n")[1:6], "\n"), "sh", t.TempDir())
	if out, err := probe.CombinedOutput(); err != nil {
		t.Skipf("this system mounts no overlay: %v\n%s", err, out)
	}
	out := command(t, ".", "unshare", "-m", "sh", "-c", install, "sh", t.TempDir(), first, strings.Join(env, " "))
	if !strings.HasSuffix(out, "installed, served and purged\n") {
		t.Errorf("it ended early:\n%s", out)
	}
}
