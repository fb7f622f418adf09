package guessable

// rows is a set of rows, each in one of two directions.
type rows uint32

const rowBits = 32

// alphabets holds alphabets and keyboard layouts, one per entry, with spaces between rows and columns. Shifted rows
// are listed too, since passwords are converted to lower case.
var alphabets = []string{
	"abcdefghijklmnopqrstuvwxyzabc",
	"acegikmoqsuwy bdfhjlnprtvxz", // every second letter
	"01234567890",
	"02468 13579 24680",
	"qwertyuiop[] asdfghjkl;'# zxcvbnm,./",              // QWERTY
	"qwertzuiopü+ asdfghjklöä yxcvbnm,.-",               // QWERTZ
	"azertyuiop^$ qsdfghjklmù wxcvbn,;:!",               // AZERTY
	"`1234567890-= ~!@#$%^&*()_+ !\"§$%&/()=?",          // digit rows, plain and shifted
	"1qaz 2wsx 3edc 4rfv 5tgb 6yhn 7ujm 8ik, 9ol. 0p;/", // columns, leaning left
	"!qaz @wsx #edc $rfv %tgb ^yhn &ujm *ik< (ol> )p:?",
	"3esz 4rdx 5tfc 6ygv 7uhb 8ijn 9okm 0pl, esz rdx tfc ygv uhb ijn okm", // columns, leaning right
	"1aqw 1yaq 2xsw 3cde 4vfr 5bgt 6nhz 7mju",                             // columns of QWERTZ
	"147 258 369 789 456 159 357",                                         // the keypad
	"абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
	"йцукенгшщзхъ фывапролджэ ячсмитьбю", // ЙЦУКЕН
	"αβγδεζηθικλμνξοπρστυφχψω",
}

// neighbours holds, for each pair of characters, the rows in which the second follows the first.
var neighbours = func() map[[2]rune]rows {
	out := map[[2]rune]rows{}
	for i, alphabet := range alphabets {
		var before rune
		for _, r := range alphabet {
			if r != ' ' && before != 0 {
				out[[2]rune{before, r}] |= 1 << (2 * i)
				out[[2]rune{r, before}] |= 1 << (2*i + 1)
			}
			if before = r; r == ' ' {
				before = 0
			}
		}
	}
	return out
}()
