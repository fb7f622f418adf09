//go:build !unix

package privatefile

import "os"

// ownAsDir does nothing: files have no owner to set here.
func ownAsDir(*os.File) error { return nil }

func ownDirAsParent(string) error { return nil }
