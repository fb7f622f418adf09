package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/cmd/roster/console"
)

// kid is the argument for the id of a key.
const kid = "KID (the id of a key)"

func (p *program) keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "List, add, rotate and retire signing keys",
		Long:  "List, add, rotate and retire the signing keys in the data directory, or in keys_dir. Running instances\nfollow within seconds, and no user is signed out.",

		SuggestionsMinimumDistance: 2,

		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.keysListCommand(), p.keysAddCommand(), p.keysRotateCommand(), p.keysRetireCommand())
	return cmd
}

// onKeys does something with the key file of the settings.
func (p *program) onKeys(cmd *cobra.Command, do func(*bootstrap.Keyring) error) error {
	cfg, err := p.load(cmd)
	if err != nil {
		return err
	}
	ring, err := bootstrap.Keys(cfg)
	if err != nil {
		return err
	}
	return do(ring)
}

func (p *program) keysListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the signing keys, the oldest first",
		Long:  "List the signing keys, the oldest first. All of them verify: one signs, some were added and have not\nsigned yet, some have signed before. An expired one can be retired: no token that it signed is good.",
		Args:  arguments(),
	}
	format := formatFlag(cmd, "table")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		lines, err := format.json(cmd)
		if err != nil {
			return err
		}
		return p.onKeys(cmd, func(ring *bootstrap.Keyring) error {
			keys, err := ring.List()
			if err != nil {
				return err
			}
			if lines {
				return printKeyLines(p.stdout, keys)
			}
			return printKeyTable(p.stdout, keys)
		})
	}
	return cmd
}

func (p *program) keysAddCommand() *cobra.Command {
	var algorithm, from string
	cmd := &cobra.Command{
		Use:     "add",
		Short:   "Add a key that verifies and is published, but does not sign yet",
		Long:    "Add a key, new or from a file, that verifies and is published, but does not sign yet: roster keys rotate\nmakes it sign. In between, other machines and caches of the published keys can take it up.",
		Example: "  roster keys add --algorithm EdDSA\n  roster keys add --from key.pem",
		Args:    arguments(),
	}
	cmd.Flags().StringVar(&algorithm, "algorithm", "", "algorithm of a new key: ES256, RS256 or EdDSA; that of the settings unless given")
	cmd.Flags().StringVar(&from, "from", "", "file of a private key, PEM (PKCS #8), to add instead of a new key")
	must(cmd.RegisterFlagCompletionFunc("algorithm", cobra.FixedCompletions([]string{"ES256", "RS256", "EdDSA"}, cobra.ShellCompDirectiveNoFileComp)))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if algorithm != "" && from != "" {
			return misuse(cmd, "--from goes without --algorithm: the key has its own")
		}
		return p.onKeys(cmd, func(ring *bootstrap.Keyring) error {
			k, err := addKey(cmd.Context(), ring, algorithm, from)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "Added the %s key %s (%s).\n", k.Algorithm, k.ID, k.State)
			return err
		})
	}
	return cmd
}

func addKey(ctx context.Context, ring *bootstrap.Keyring, algorithm, from string) (bootstrap.SigningKey, error) {
	if from != "" {
		return ring.AddFrom(ctx, from)
	}
	return ring.Add(ctx, algorithm)
}

func (p *program) keysRotateCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "rotate [KID]",
		Short:   "Make another key sign",
		Long:    "Make another key sign: the one named, else the one added last, else a new one. The one that signed\nso far goes on verifying, until it is retired; naming it goes back to it.",
		Example: "  roster keys rotate\n  roster keys rotate 0Kd3xEs8eh8Wb9Yt3m1mVTzn5jK7cVxGqAqkqDr9_Hs",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misuse(cmd, "unexpected argument %q", args[1])
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onKeys(cmd, func(ring *bootstrap.Keyring) error {
				k, err := ring.Rotate(cmd.Context(), append(args, "")[0])
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "The %s key %s signs.\n", k.Algorithm, k.ID)
				return err
			})
		},
	}
}

func (p *program) keysRetireCommand() *cobra.Command {
	var force, expired bool
	cmd := &cobra.Command{
		Use:               "retire [KID]",
		Short:             "Remove a key; what it signed is refused from then on",
		Long:              "Remove a key; what it signed is refused from then on. That is refused for the key that signs, and\nwhile tokens of a key may be good.",
		Example:           "  roster keys retire --expired\n  roster keys retire 0Kd3xEs8eh8Wb9Yt3m1mVTzn5jK7cVxGqAqkqDr9_Hs",
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&expired, "expired", false, "remove every key of which no token is good any more")
	cmd.Flags().BoolVar(&force, "force", false, "remove the key although that may sign users out")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case !expired:
			return arguments(kid)(cmd, args)
		case force || len(args) > 0:
			return misuse(cmd, "--expired goes with neither KID nor --force")
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.onKeys(cmd, func(ring *bootstrap.Keyring) error {
			if expired {
				return p.retireExpired(cmd.Context(), ring)
			}
			k, err := ring.Retire(cmd.Context(), args[0], force)
			if errors.Is(err, bootstrap.ErrKeyInUse) {
				return fmt.Errorf("%w, until %s; --force retires it now and signs their users out", err, moment(k.Until))
			}
			if err != nil {
				return err
			}
			return p.retired(k)
		})
	}
	return cmd
}

func (p *program) retireExpired(ctx context.Context, ring *bootstrap.Keyring) error {
	gone, err := ring.RetireExpired(ctx)
	for _, k := range gone {
		err = errors.Join(err, p.retired(k))
	}
	if len(gone) == 0 && err == nil {
		_, err = fmt.Fprintln(p.stdout, "No key has expired.")
	}
	return err
}

func (p *program) retired(k bootstrap.SigningKey) error {
	_, err := fmt.Fprintf(p.stdout, "Retired the %s key %s.\n", k.Algorithm, k.ID)
	return err
}

func printKeyTable(w io.Writer, keys []bootstrap.SigningKey) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "KID\tALGORITHM\tSTATE\tUNTIL\tCREATED")
	for _, k := range keys {
		until := ""
		if !k.Until.IsZero() {
			until = moment(k.Until)
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Algorithm, k.State, until, moment(k.Created))
	}
	return t.Flush()
}

// keyObject is a key in JSON, one a line.
type keyObject struct {
	KID       string     `json:"kid"`
	Algorithm string     `json:"algorithm"`
	State     string     `json:"state"`
	Until     *time.Time `json:"until"` // null unless the key has ceased to sign
	Created   time.Time  `json:"created"`
}

func printKeyLines(w io.Writer, keys []bootstrap.SigningKey) error {
	enc := json.NewEncoder(console.JSONWriter{Writer: w})
	for _, k := range keys {
		o := keyObject{KID: k.ID, Algorithm: k.Algorithm, State: string(k.State), Created: k.Created.Truncate(time.Second)}
		if !k.Until.IsZero() {
			until := k.Until.Truncate(time.Second)
			o.Until = &until
		}
		if err := enc.Encode(o); err != nil {
			return err
		}
	}
	return nil
}
