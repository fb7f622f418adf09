package password_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"roster/adapters/password"
	"roster/domain/guessable"
)

var blocked = []string{
	"123456789012345", "qwertyuiopasdfghjkl", "passwordpassword", "aaaaaaaaaaaaaaaa", "1111111111111111", "password12345678", "qwerty1234567890",
	"abcdefghijklmnop", "abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlk", "0987654321qwerty", "asdfghjklasdfghjkl", "zxcvbnmasdfghjkl",
	"qwertyuiopqwertyuiop", "qwertzuiopasdfgh", "azertyuiopqsdfgh", "1qaz2wsx3edc4rfv", "1qaz@WSX3edc$RFV", "!QAZ2wsx#EDC4rfv", "zaq12wsxcde34rfv",
	"zaq1xsw2cde3vfr4", "qazwsxedcrfvtgb", "1q2w3e4r5t6y7u8i", "q1w2e3r4t5y6u7i8", "1a2b3c4d5e6f7g8h", "a1b2c3d4e5f6g7h8", "abc123abc123abc123",
	"abcabcabcabcabc", "abcd1234abcd1234", "112233445566778899", "aabbccddeeffgghh", "111222333444555", "1111222233334444", "aaaaaaaabbbbbbbb",
	"abababababababab", "abcdabcdabcdabcd", "iloveyouiloveyou", "iloveyou12345678", "iloveyou1234567890", "letmeinletmein", "letmeinletmeinletmein",
	"correcthorsebatterystaple", "CorrectHorseBatteryStaple", "correct horse battery staple", "correct-horse-battery-staple",
	"Correct-Horse-Battery-Staple1", "Correcthorsebatterystaple!", "P@ssw0rdP@ssw0rd", "P@$$w0rd12345678", "p4ssw0rdp4ssw0rd", "Passw0rd!Passw0rd!",
	"Password1Password1", "password1password2", "Password123456789", "Password1234567!", "Password2024Password2024", "MyPasswordIsPassword",
	"thisismypassword", "thisisapassword123", "mypassword123456", "passwordpassword1", "passwordpassword!", "passwordqwerty123", "qwertypassword123",
	"monkeymonkeymonkey", "dragondragondragon", "dragonmonkey12345", "sunshineprincess", "footballbaseball", "football12345678", "Football2024!2024",
	"welcome123456789", "Welcome2024!!!!!!", "changemechangeme", "administrator123", "administrator2024!", "admin1234567890", "adminadminadmin1",
	"adminadminadminadmin", "rootrootrootroot", "superman12345678", "trustno1trustno1", "1234567890qwerty", "1234567890abcdef", "1234567890abcde",
	"123456789abcdefg", "abc1234567890xyz", "qwerty123qwerty123", "qwerty!@#$%^&*()", "!@#$%^&*()_+!@#$", "!@#$%^&*()qwerty", "password!@#$%^&*",
	"password!!!!!!!!", "********password", "passwordpasswordpassword", "Summer2024Summer2024", "Summer2024!Summer", "Summer2023Winter2024",
	"January2024January", "december31december", "drowssapdrowssap", "drowssap12345678", "ytrewqytrewqytrewq", "poiuytrewqlkjhgf", "mnbvcxzlkjhgfdsa",
	"lkjhgfdsapoiuytrewq", "annabel12345678", "Annabel1234567890", "annabelleeson2024", "leesonannabel123!", "annabel.l77annabel.l77",
	"lanterns20242024", "roster1234567890", "rosterrosterroster", "RosterPassword1!", "roster-admin-2024", "rosteradmin12345", "1234512345123451234",
	"1357913579135791", "13579246801357924680", "2468024680246802", "147258369147258369", "789456123789456123", "aaaabbbbccccdddd", "qqqqwwwweeeerrrr",
	"qweqweqweqweqweqwe", "qweasdzxcqweasdzxc", "qweasdzxc123456", "asdasdasdasdasdasd", "asdfasdfasdfasdf", "asdf1234asdf1234", "zxcvzxcvzxcvzxcv",
	"qwerqwerqwerqwer", "testtesttesttest", "testtest12345678", "testpassword1234", "secretsecretsecret", "hellohellohello1", "helloworld123456",
	"HelloWorldHelloWorld", "hahahahahahahaha", "lolololololololol", "blahblahblahblah", "maytheforcebewithyou", "thequickbrownfox",
	"thequickbrownfoxjumps", "tobeornottobe12", "opensesame123456", "123123123123123", "121212121212121", "qwaszxqwaszxqwaszx", "q1q1q1q1q1q1q1q1",
	"1111111111111112", "aaaaaaaaaaaaaaab", "000000000000000", "0000000000000001", "йцукенгшщзхъфыва", "йцукенйцукенйцукен", "абвгдеёжзийклмноп",
	"пароль1234567890", "парольпарольпароль", "password 12345678", "pass word pass word", "p.a.s.s.w.o.r.d.1.2.3", "passwordabc12345", "abc123password",
	"qwertyasdfghzxcvbn", "qwertyasdfgzxcvb", "1234qwerasdfzxcv", "1234qwer1234qwer", "12345qwertasdfg", "123qweasdzxc123", "123qwe123qwe123qwe",
	"1q2w3e4r1q2w3e4r", "1qazxsw23edcvfr4", "qwertyuiop[]asdf", "qwertyuiop123456", "michaelmichael1", "jordanjordan2323", "charliecharlie12",
	"computercomputer", "internetinternet", "masterpassword1", "letmein123456789", "letmein!letmein!", "welcomewelcome1", "p@ssw0rd123456789",
	"Pa$$w0rdPa$$w0rd", "Pa55word12345678", "passwordPASSWORD", "PASSWORDPASSWORD", "iloveyou3000iloveyou", "starwarsstarwars", "batmanbatman2024",
	"batmansuperman12", "supermanbatman99", "1234abcd1234abcd", "a1a1a1a1a1a1a1a1", "aaaaabbbbbccccc", "zzzzzzzzzzzzzzzzz", "thisismypassword1",
	"mysecretpassword", "secretpassword12", "supersecretpassword", "verysecretpassword", "5555555555555555555555", "changeme12345678",
	"ChangeMe123!ChangeMe123!", "default123456789", "passwordpass123", "passpasspasspass", "usernamepassword", "loginloginlogin1", "userpassword1234",
	"guestguestguest", "onetwothreefourfive", "12345678qwertyui", "qwertyui12345678", "asdfghjkl1234567", "asdfghjkl;'asdfghj", "987654321987654",
	"9876543210987654", "abcdefgh12345678", "abcdefg1234567890", "12345abcde12345", "abcde12345abcde", "aaaaaaaaaa11111", "aaa111bbb222ccc333",
	"1qaz2wsx3edc4rfv5tgb", "qwertyuiop[]\\", "abcdefghijklmno", "thebestpasswordever", "ilovemyboyfriend", "ilovechocolate", "babygirlbabygirl",
	"jesuschristislord", "iloveyouverymuch", "tinkerbelltinkerbell", "happybirthday123", "sweetpea12345678", "mynameisannabel", "whateverwhatever",
	"wordpasswordpass", "lovelovelovelove", "loveyouforever12", "chocolatechocolate", "0102030405060708", "010203040506070809", "102938475610293847",
	"1a2s3d4f5g6h7j8k", "147852369147852369", "159753159753159", "thisismypassword!", "P@ssw0rd!P@ssw0rd!", "Password@1234567", "Admin@123456789",
	"Welcome@12345678", "Qwerty@123456789", "Test@123456789012", "abcABC123!@#abcABC", "Abcd@1234567890", "Aa123456789012345", "a123456789012345",
	"123456789012345a", "q1234567890123456", "1234567890abcABC!", "qwerASDFzxcv1234", "QWEasdZXC123!@#", "!QAZXSW@#EDCVFR$", "zxcvbnm,./asdfghjkl",
	"passwort12345678", "motdepasse123456", "contraseña123456", "senha12345678901", "hunter2hunter2hunter2", "correcthorsebattery",
	"batterystaplehorse", "ncc1701ncc1701d", "letmeinletmein123", "GodIsGreatGodIsGreat", "passw0rdpassw0rd", "1password1password",
	"password-password-password", "password_12345678", "pass1234pass1234", "pass123pass123pass", "admin123admin123", "admin-admin-admin",
	"administratorpassword", "rootpassword1234", "iloveyou!iloveyou!", "ILOVEYOU12345678", "Iloveyou1234567!", "monkey1234567890", "dragon1234567890",
	"sunshine12345678", "princess12345678", "football!football!", "baseball12345678", "welcome1welcome1", "Welcome123Welcome123", "shadowshadowshadow",
	"mastermaster1234", "masterofpuppets1", "letmein2024letmein", "freedomfreedom12", "whatever12345678", "trustno1trustno1!", "starwars12345678",
	"startrekstartrek", "supermansuperman", "batmanbatmanbatman", "jordan23jordan23", "harleyharley1234", "rangerranger1234", "hunterhunter1234",
	"soccersoccer1234", "hockeyhockey1234", "killerkiller1234", "georgegeorge1234", "charlie123456789", "andrewandrew1234", "michelle12345678",
	"loveme1234567890", "jessicajessica12", "pepperpepper1234", "zxcvbnm123456789", "asdfghjkl123456789", "qazwsxedc123456789", "1q2w3e4r5t6y7u8i9o0p",
	"q1w2e3r4t5y6u7i8o9p0", "qwer1234qwer1234", "123abc123abc123abc", "abc123456789abc", "abcdef123456abcdef", "aabbccddeeffgghhii", "zzzzzzzzzzzzzzzz",
	"................", "!!!!!!!!!!!!!!!!", "----------------", "                x", "ababababababababab", "xyzxyzxyzxyzxyzxyz", "123321123321123321",
	"12344321123443211", "1212121212121212", "1122334455667788", "9999999999999999", "1231231231231231", "1234123412341234", "987654321987654321",
	"qwertyqwertyqwerty", "qwerty12345qwerty", "asdfasdfasdfasdf1", "asdasdasdasdasd1", "zxczxczxczxczxczxc", "poiuytrewqpoiuytrewq",
	"mnbvcxzmnbvcxzmnbvcxz", "lkjhgfdsalkjhgfdsa", "thequickbrownfoxjumpsoverthelazydog", "the quick brown fox jumps", "to be or not to be",
	"may the force be with you", "maythe4thbewithyou", "inthebeginning12", "onceuponatime123", "youshallnotpass1", "winteriscoming12",
	"openthepodbaydoors", "hakunamatata1234", "supercalifragilisticexpialidocious", "antidisestablishmentarianism", "iamironmaniamironman",
	"allyourbasearebelongtous", "roster-2024-roster", "myrosterpassword", "Roster2024Roster2024!", "rosterservice123", "annabelannabel77",
	"annabel.l77@lanterns.example", "annabel.l77@lanterns", "lanternslanterns", "Leeson2024Leeson!", "leesonleeson1234", "annabel-leeson-1",
	"iloveannabel1234", "P@55w0rdP@55w0rd", "p@ssword12345678", "pa$$wordpa$$word", "l3tm31nl3tm31n!!", "1l0v3y0u1l0v3y0u", "m0nk3ym0nk3y1234",
	"dr@gon12345678!", "s3cr3ts3cr3t1234", "Adm1n1str@t0r123", "w3lc0m3w3lc0m3!!", "Spring2024Spring2024", "Autumn2025!Autumn", "December2024!!!!",
	"Monday12345678!!", "mondaytuesdaywednesday", "januaryfebruarymarch", "onetwothreefourfivesix", "redbluegreenyellow", "abc def ghi jkl mno",
	"a b c d e f g h i j", "1 2 3 4 5 6 7 8 9", "aaaa bbbb cccc dddd", "1111-2222-3333-4444", "1234-5678-9012-3456", "01/01/2000 01/01/2000",
	"01011990 01011990", "19901990199019901990", "2024202420242024", "20232024202520262027",
	strings.Repeat("password", 20), strings.Repeat("trustno1!", 100),
}

var unblocked = []string{
	"four wide purple boats", "Correct-horse-7-battery", "Another-horse-8-battery", "Qz7!wvKj-93xu Tb", "my dragon eats purple socks",
	"the password is under the doormat", "dragons never sleep quietly", "one monkey too many", "I bought a football in May",
	"sunshine over the harbour wall", "purple monkey dishwasher", "my cat hates mondays a lot", "kitchen lamp eleven tulips",
	"vacant-prism-hobble-outrun", "Tundra-Quilt7-Mango", "xuvtyc-4qizwu-moqfaw", "k7#vQ2!x", "Hq8kZr2w", "hvbnwqkz", "wkcjdmqz", "X9!kq#2Lm$7vRt@5",
	"83kd02mxlq94jfa0", "b1946ac92492d2347c6235b4", "550e8400-e29b-41d4-a716-446655440000", "correct donkey battery paperclip",
	"Mein Hund frisst keine Tomaten", "les carottes sont cuites hier soir", "мой кот спит на крыше", "寿司が大好きです毎日食べます", "lantern-orchard-pebble",
	"staple lemon gravel", "we ate horse-shaped biscuits", "three kings rode out at dawn", "my brother Charlie plays the oboe",
	"secret gardens bloom at midnight", "password managers are worth it", "123 Main Street is not my home", "abc of gardening for beginners",
	"he said hello and left quickly", "it was raining in Lisbon again", "tomatoes grow best in June", "annabel likes blue teapots",
	"roster of the rowing club", "wintering swans on the loch", "Fj3-dragon-Wq9-plinth", "gT$4mK9@pL2&xR7!", "aB3dE5gH7jK9mN1p",
	"mountain bicycle teapot", "zebra crossing opens late",
	"purple-elephant-87-kite", "my sister plays cello badly", "TheRainInSpainFallsOften", "brown shoes, green coat", "two tickets to Valencia please",
	"MyDogAteTheHomework", "correct giraffe battery staple", "winter is cold in Norway", "ginger tea at four o'clock", "i love long walks uphill",
	"grandma's 1987 red tractor", "sunset over a wheat field", "quietly-marching-penguins", "1984 was a strange book", "dragonfruit marmalade recipe",
	"zx9!Kw3$pLq7@vNd", "gHy6-Tr4e-Qw2z-Mn8b", "4f9d-a7c3-88e1-b2d6", "uR2krPqWb8ZsYxT", "plmoknijbuhvygc-no", "Ich wohne in Berlin seit 2009",
	"o gato dorme no telhado azul", "la casa verde del vecino", "tomorrow never knows anything", "apple tree near river",
	"seven drunken monkeys dancing", "keep calm and eat noodles", "football is not my thing", "blackbird sings at dawn", "nineteen blue umbrellas",
	strings.Repeat("the quick red hen and the slow grey goose, ", 20),
}

var annabel = guessable.Owner{FirstName: "Annabel", LastName: "Leeson", Email: "annabel.l77@lanterns.example"}

func tooCommon(plain string) bool {
	return guessable.NewBlocklist(password.Common(), "roster").Matches(strings.ToLower(plain), annabel)
}

// The blocklist of the service, with Django's list.
func TestBlocklist(t *testing.T) {
	t.Parallel()
	for _, p := range blocked {
		if !tooCommon(p) {
			t.Errorf("%q is not found", p)
		}
	}
	for _, p := range unblocked {
		if tooCommon(p) {
			t.Errorf("%q is found", p)
		}
	}
}

const (
	lowers = "abcdefghijklmnopqrstuvwxyz"
	alnum  = lowers + "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	ascii  = alnum + "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// Random passwords are accepted: of the shortest at most a few in a thousand are refused by chance.
func TestRandomPasswordsAreNotBlocked(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, c := range map[string]struct {
		characters    string
		length, tries int
		most          int
	}{
		"8 lower-case letters":     {lowers, 8, 1000, 4},
		"8 letters and digits":     {alnum, 8, 1000, 4},
		"8 of all ASCII":           {ascii, 8, 1000, 4},
		"15 letters and digits":    {alnum, 15, 500, 0},
		"15 of all ASCII":          {ascii, 15, 500, 0},
		"20 lower-case letters":    {lowers, 20, 500, 0},
		"32 hexadecimal":           {"0123456789abcdef", 32, 300, 0},
		"16 digits and signs":      {"0123456789!@#$%^&*", 16, 500, 1},
		"64 of all ASCII":          {ascii, 64, 50, 0},
		"1024 of all ASCII":        {ascii, 1024, 10, 0},
		"18 in groups, by a dash":  {"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789-", 18, 500, 0},
		"12 Cyrillic, lower case":  {"абвгдежзийклмнопрстуфхцчшщъыьэюя", 12, 300, 0},
		"10 of a few thousand Han": {han(), 10, 300, 0},
	} {
		found := 0
		for range c.tries {
			characters := []rune(c.characters)
			p := make([]rune, c.length)
			for i := range p {
				p[i] = characters[random.IntN(len(characters))]
			}
			if tooCommon(string(p)) {
				found++
				if found > c.most {
					t.Errorf("%s: %q is found", name, string(p))
				}
			}
		}
	}
}

func han() string {
	var b strings.Builder
	for r := rune(0x4E00); r < 0x5800; r++ {
		b.WriteRune(r)
	}
	return b.String()
}

// Diceware passphrases are accepted: four random words, even common ones.
func TestPassphrasesAreNotBlocked(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	dice := strings.Fields("acorn anchor apple battery bicycle blanket breakfast butter candle carpet castle charlie chicken coffee " +
		"cookie copper daisy diamond dolphin dragon elephant falcon finger flower football forest garden ginger guitar hammer " +
		"harbour honey horse island jacket jasmine kitchen ladder lantern lemon leopard marble mercury monkey mountain mustard " +
		"orange orchid oyster panther parrot pebble pepper phoenix pickle pirate pumpkin purple rabbit ranger rocket saddle " +
		"scooter shadow silver smoke spider squirrel sunshine teapot thunder tiger tomato turtle umbrella velvet violet walnut " +
		"winter wizard yellow zebra")
	for range 500 {
		w := func() string { return dice[random.IntN(len(dice))] }
		a, b, c, d := w(), w(), w(), w()
		if a == b || b == c || c == d || a == c || b == d || a == d {
			continue
		}
		for _, p := range []string{a + " " + b + " " + c + " " + d, a + "-" + b + "-" + c + "-" + d, a + b + c + d, strings.ToUpper(a) + "7" + b + "." + c + "!"} {
			if tooCommon(p) {
				t.Errorf("%q is found", p)
			}
		}
	}
}
