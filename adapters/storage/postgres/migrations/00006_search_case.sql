-- +goose Up

-- Searches ignore case as upper() of the Unicode standard does from here on: characters that share their upper
-- case with others count as those (final sigma, dotless i, long s and twenty more). Few rows hold any of them.
UPDATE users SET search = translate(search, 'µıſͅςϐϑϕϖϰϱϵᲀᲁᲂᲃᲄᲅᲆᲇᲈẛι', 'μisισβθφπκρεвдосттъѣꙋṡι')
    WHERE search <> translate(search, 'µıſͅςϐϑϕϖϰϱϵᲀᲁᲂᲃᲄᲅᲆᲇᲈẛι', 'μisισβθφπκρεвдосттъѣꙋṡι');
