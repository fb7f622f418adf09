package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"roster/bootstrap"
)

func (p *program) keysCommand() *cobra.Command {
	cmd := group("keys", "List, add, rotate and retire signing keys",
		p.keysListCommand(), p.keysAddCommand(), p.keysRotateCommand(), p.keysRetireCommand())
	cmd.Long = "List, add, rotate and retire the signing keys in the data directory, or in keys_dir. Running instances\n" +
		"follow within seconds, and no user is signed out."
	return cmd
}

// forKeys makes cmd call do with the keys of the settings and its optional argument.
func (p *program) forKeys(cmd *cobra.Command, do func(ring *bootstrap.Keyring, kid string) error) *cobra.Command {
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := p.load(cmd)
		if err != nil {
			return err
		}
		ring, err := bootstrap.Keys(cfg)
		if err != nil {
			return err
		}
		return do(ring, append(args, "")[0])
	}
	return cmd
}

func (p *program) keysListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the signing keys, the oldest first",
		Long: "List the signing keys, the oldest first. All of them verify: one signs, some were added and have not\n" +
			"signed yet, some have signed before. An expired one can be retired: no token that it signed is good.",
		Args: arguments(),
	}
	inJSON := formatFlag(cmd, "table")
	return p.forKeys(cmd, func(ring *bootstrap.Keyring, _ string) error {
		keys, err := ring.List(cmd.Context())
		if err != nil {
			return err
		}
		return keyList.Print(p.stdout, inJSON(), func(add func(bootstrap.SigningKey) error) error {
			for _, k := range keys {
				if err := add(k); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (p *program) keysAddCommand() *cobra.Command {
	var algorithm, from string
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Add a key that verifies and is published, but does not sign yet",
		Long: "Add a key, new or from a file, that verifies and is published, but does not sign yet: roster keys rotate\n" +
			"makes it sign. In between, other machines and caches of the published keys can take it up.",
		Example: "  roster keys add --algorithm EdDSA\n  roster keys add --from key.pem",
		Args:    arguments(),
	}
	cmd.Flags().StringVar(&algorithm, "algorithm", "", "algorithm of a new key: ES256, RS256 or EdDSA; that of the settings unless given")
	cmd.Flags().StringVar(&from, "from", "", "file of a private key, PEM (PKCS #8), to add instead of a new key")
	must(cmd.RegisterFlagCompletionFunc("algorithm", choices("ES256", "RS256", "EdDSA")))
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if algorithm != "" && from != "" {
			return misuse(cmd, "--from goes without --algorithm: the key has its own")
		}
		return nil
	}
	return p.forKeys(cmd, func(ring *bootstrap.Keyring, _ string) (err error) {
		var k bootstrap.SigningKey
		if from != "" {
			k, err = ring.AddFrom(cmd.Context(), from)
		} else {
			k, err = ring.Add(cmd.Context(), algorithm)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "Added the %s key %s (%s).\n", k.Algorithm, k.ID, k.State)
		return err
	})
}

func (p *program) keysRotateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate [KID]",
		Short: "Make another key sign",
		Long: "Make another key sign: the one named, else the one added last, else a new one. The one that signed\n" +
			"so far goes on verifying, until it is retired; naming it goes back to it.",
		Example: "  roster keys rotate\n  roster keys rotate 0Kd3xEs8eh8Wb9Yt3m1mVTzn5jK7cVxGqAqkqDr9_Hs",
		Args:    arguments("[KID]"),
	}
	return p.forKeys(cmd, func(ring *bootstrap.Keyring, kid string) error {
		k, err := ring.Rotate(cmd.Context(), kid)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "The %s key %s signs.\n", k.Algorithm, k.ID)
		return err
	})
}

func (p *program) keysRetireCommand() *cobra.Command {
	var force, expired bool
	cmd := &cobra.Command{
		Use:   "retire [KID]",
		Short: "Remove a key; what it signed is refused from then on",
		Long: "Remove a key; what it signed is refused from then on. That is refused for the key that signs, and\n" +
			"while tokens of a key may be good.",
		Example: "  roster keys retire --expired\n  roster keys retire 0Kd3xEs8eh8Wb9Yt3m1mVTzn5jK7cVxGqAqkqDr9_Hs",
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&expired, "expired", false, "remove every key of which no token is good any more")
	cmd.Flags().BoolVar(&force, "force", false, "remove the key although that may sign users out")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case !expired:
			return arguments("KID (the id of a key)")(cmd, args)
		case force || len(args) > 0:
			return misuse(cmd, "--expired goes with neither KID nor --force")
		}
		return nil
	}
	return p.forKeys(cmd, func(ring *bootstrap.Keyring, kid string) (err error) {
		var removed []bootstrap.SigningKey
		if expired {
			if removed, err = ring.RetireExpired(cmd.Context()); err == nil && len(removed) == 0 {
				_, err = fmt.Fprintln(p.stdout, "No key has expired.")
			}
		} else {
			var k bootstrap.SigningKey
			if k, err = ring.Retire(cmd.Context(), kid, force); errors.Is(err, bootstrap.ErrKeyInUse) {
				return fmt.Errorf("%w, until %s; --force retires it now and signs their users out", err, timeText(k.Until))
			}
			removed = []bootstrap.SigningKey{k}
		}
		for _, k := range removed {
			if err == nil {
				_, err = fmt.Fprintf(p.stdout, "Retired the %s key %s.\n", k.Algorithm, k.ID)
			}
		}
		return err
	})
}
