package privatefile

import (
	"fmt"
	"io/fs"
)

// Mounted is a remedy for errors about a mounted secret: the settings of Kubernetes and Docker with which Exposed accepts
// it. With fsGroup, Kubernetes lets that group read the file: mode 0400 of root becomes 0440.
const Mounted = "a secret that is mounted needs, in Kubernetes, defaultMode: 0400 on its volume and, unless the container runs as root, " +
	"fsGroup in the pod's securityContext; in Docker, uid and gid of the service and mode: 0400"

const (
	read  fs.FileMode = 0o044
	write fs.FileMode = 0o022
)

// Exposed says how the mode of a file or directory lets other users read or change it, and which mode to set; "" when
// they cannot. The group may read what another user owns, since that is how Kubernetes mounts a secret (fsGroup).
func Exposed(info fs.FileInfo) string { return lets(info, read|write) }

// Changeable is Exposed for files and directories that other users may read, but not change.
func Changeable(info fs.FileInfo) string { return lets(info, write) }

func lets(info fs.FileInfo, access fs.FileMode) string {
	mode := info.Mode().Perm()
	open := mode & access
	if !ownedByProcess(info) {
		open &^= read & 0o070
	}
	if open == 0 || !hasModes {
		return ""
	}
	other, can, private := "its group", "read", fs.FileMode(0o600)
	if open&0o007 != 0 {
		other = "every user"
	}
	switch {
	case open&write != 0:
		can = "change"
	case info.IsDir():
		can = "list"
	}
	if info.IsDir() {
		private = 0o700
	}
	return fmt.Sprintf("mode %04o lets %s %s it; make it %04o", mode, other, can, private)
}
