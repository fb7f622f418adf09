package credential

import "strings"

// maxPhrase is the most characters of a common word or phrase.
const maxPhrase = 40

// phrases are what people take for a long password, joined: lines that everybody knows, and what is
// said about passwords. Compiled by hand; each is a sentence or a name in common use.
var phrases = func() map[string]bool {
	out := map[string]bool{}
	for _, p := range strings.Fields(`
correcthorsebatterystaple correcthorsebattery horsebatterystaple correctbatteryhorsestaple troubador tr0ub4dor
letmein letmeinplease letmeinnow pleaseletmein openthedoor opensesame abracadabra
iloveyou iloveyoubaby iloveyousomuch iloveyouforever iloveyoumom ilovemyself ilovemyfamily ilovemywife ilovemyhusband
ilovejesus ilovegod ilovemymom ilovemydad ilovemydog ilovemycat iloveu ihateyou ihatepasswords ihatethis iamthebest
jesusislord jesuslovesme jesuschrist jesussaves godisgood godislove godisgreat godblessyou ingodwetrust thankyoujesus
mypassword thisismypassword thisisapassword thisisthepassword thisisnotapassword thisismynewpassword mypasswordis mynewpassword
mypasswordispassword mysecretpassword secretpassword supersecretpassword supersecret topsecret verysecret verysecretpassword
strongpassword securepassword averystrongpassword verystrongpassword mystrongpassword superstrongpassword longpassword averylongpassword
verylongpassword thisisalongpassword thisisaverylongpassword complexpassword goodpassword bestpassword newpassword oldpassword userpassword
adminpassword rootpassword defaultpassword temporarypassword temppassword testpassword guestpassword masterpassword passwordsecret
passphrase mypassphrase nopassword idontknow idontknowmypassword iforgot iforgotmypassword forgotpassword forgotmypassword
incorrect yourpasswordisincorrect wrongpassword dontforget rememberme pleaseremember donotshare password passwort motdepasse contrasena
contraseña wachtwoord parola senha salasana haslo heslo пароль лозинка
changeme changethis changemenow changeit pleasechange pleasechangeme changepassword resetpassword resetme
administrator superadministrator sysadmin systemadministrator superuser rootroot rootuser adminadmin adminuser useradmin testuser
demouser guestuser testtest testing testaccount defaultuser welcomehome welcomeback welcometothejungle
helloworld hellothere hellokitty goodmorning goodbye howareyou whatisthis whoareyou
maytheforcebewithyou maytheforce theforceawakens starwars darthvader lukeskywalker iamyourfather imyourfather obiwankenobi chewbacca
tobeornottobe tobeornottobethatisthequestion onceuponatime inthebeginning toinfinityandbeyond
thequickbrownfox thequickbrownfoxjumps thequickbrownfoxjumpsover thelazydog quickbrownfox jumpsoverthelazydog
winteriscoming valarmorghulis gameofthrones lordoftherings onering onringtorulethemall oneringtorulethemall youshallnotpass
gandalfthegrey harrypotter expectopatronum avadakedavra alohomora hogwarts
livelongandprosper startrek beammeupscotty resistanceisfutile
ineverforget neverforget nevergiveup nevergonnagiveyouup nevergonna rickroll dontworrybehappy hakunamatata carpediem yolo
allyourbasearebelongtous allyourbase trustno1 trustnoone hacktheplanet iamgroot iambatman iamironman
onetwothree onetwothreefour onetwothreefourfive twothreefour fourfivesix
mondaytuesday januaryfebruary redgreenblue doremifasollatido doremifasol
loremipsum loremipsumdolor loremipsumdolorsitamet foobar foobarbaz qwertyasdf
twinkletwinkle twinkletwinklelittlestar happybirthday happybirthdaytoyou merrychristmas happynewyear
manchesterunited realmadrid barcelona liverpoolfc youllneverwalkalone chelseafc arsenalfc dallascowboys
liverpool manutd juventus bayernmunich galatasaray fenerbahce besiktas
teamobebe teamomucho teamo tequiero tequieromucho jetaime ichliebedich tiamo
pokemon pikachu spongebob spongebobsquarepants minecraft fortnite callofduty worldofwarcraft leagueoflegends
supermario michaeljackson eminem justinbieber onedirection linkinpark metallica ironmaiden blinkonethirtytwo
summertime winter spring summer autumn january february march april june july august september october november december
monday tuesday wednesday thursday friday saturday sunday
company business enterprise corporate service account database server computer internet
microsoft windows google facebook instagram linkedin twitter amazon apple samsung iphone android
`) {
		out[p] = true
	}
	return out
}()
