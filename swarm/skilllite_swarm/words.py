"""The words that join codes are made of.

1,024 of them, so that one carries ten bits. They are meant for the telephone: four to seven
letters, common, spelled the same on both sides of the Atlantic, no two alike in their first four
letters or but for a single letter, and none that is usually mistaken for another by ear. Their
order means nothing; a word that turns out badly may be replaced.
"""

from __future__ import annotations

from typing import Final

_TEXT: Final = """
above acorn acrobat actor adjust admiral again agenda agile airport airship alarm album alcove alert
algebra alias almond alone alpine amber anchor animal antenna antique anvil apple apricot apron
aquatic arcade arch arctic arena aroma arrive arrow artist ascend ashore aster athlete atlas atom
attic auburn autumn avenue avocado azure baby bacon badge bagel baker balance bamboo banana banjo
barber barn basket bathtub bazaar beagle bedroom bench best between beyond bicycle bigger bike bingo
bird biscuit blanket blaze blend blimp blink block blossom blouse boat bonfire bonus book border
borrow bottle bounce bracket brain branch brave breeze brick bridge bright bronze brother brush
bubble bucket budget buffalo builder bulb bumper bundle busy button buzz cabbage cabin cable cactus
cadet cage calm camera campus canal candle canoe canvas canyon capital captain caramel cargo carpet
carrot carton castle cedar celery ceramic chair charm chase cheese cherry chest chimney chorus
chrome cinema circle citizen citrus city cliff clinic closet cloud clover clown club clumsy coach
coast cobalt coconut coffee coil collar comet comfort compass concert cookie copper coral corner
cosmic cottage country crab cradle crane crater crayon cream cricket crimson crisp crumb crystal
cube cuckoo cupcake curious curtain curve cushion cycle daisy dance dash dawn dazzle delta demand
denim derby desk detail device diamond diary dill diploma disco distant doctor dodge dolphin domino
donate doorway dose dozen dragon drawer dress drift drink drive drizzle drum duck duet dune dusty
dynamo early earring earth easel east echo eclipse edge edit elastic elbow elegant element emblem
emerald enamel encore engine enjoy epic episode estate evening example exotic expand expert explore
eyebrow fabric factory falcon family famous fancy fantasy farmer fashion faucet fender fern ferry
field fiesta fifty figure filter finger finish fish fitness fixture flag flame flannel flash fleece
flight flint float floor florist fluffy flute focus folder force forest forget fork fortune forum
fragile freckle freedom fresh friend fringe frog frost frozen fruit fudge funny furnace fusion
future gadget galaxy gallery game garage garden garlic garment gazebo gecko genius gentle genuine
geology gesture giant gift giggle giraffe give glacier glad glass gleam glide glimpse glitter globe
glow glue goal goblet gold gondola goose grace grammar grand gravel green grid grill grocery grove
guava guitar gulf habit halo hamlet hammer hamster happy harmony harp harvest hatch haven hawk hazel
health heater heavy helium helmet helper herbal hero hiccup hiking hinge hippo history hobby hockey
holiday hollow honest hood hope horizon hornet hotel house hover huddle human humble hundred hurry
hybrid hydrant iceberg icicle icon idea igloo ignite image immense impress inbox inch index indigo
inkwell inland inspire into invent invite iris isolate ivory jacket jade jaguar jasmine jazz jelly
jersey jigsaw jingle jogger joke journal joyful jubilee juggle juice jumbo jump juniper justice
karate kayak keeper kelp kettle khaki kimono kind kingdom kiosk kitchen kite kitten kiwi koala label
lace ladder lagoon lamp lantern laptop lattice laugh launch lava layer league leather leaving
lecture ledger legacy legend lemon lentil leopard letter level liberty library lilac lily lime linen
lion lizard llama lobster locker long loop lotion lotus lovely lucky luggage lumber lunar lyric
machine magenta magic magnet mailbox mango manual maple marble market marmot marsh mascot mask mason
matrix mature mayor media mellow melody member memory menu mercury message meteor metric migrate
mild million mimic mineral minnow mint miracle mirror mocha model monitor monkey mosaic mother motor
mound mouth movie muffin mural museum music mystery myth napkin nation nectar needle neon nephew
nerve nibble nine nomad noodle north notable nougat noun novel nozzle numeral nutmeg nylon oasis
oatmeal oblong oboe observe ocean octagon octopus odyssey office olive onion onyx opal open opera
opinion optic orange orbit orchard oregano orient ornate osprey ostrich otter outdoor outfit outlet
outside oxygen oyster ozone pacific package paddle paint palace pancake panda panel panther papaya
paper parade parcel pardon parent park parsley party passage pasta patio patrol pattern payment
peacock peanut pebble pecan pelican pencil penguin pepper perfect phone photo piano piccolo pickle
picnic picture pigeon pillow pilot pink pioneer pipe pirate pixel pizza planet plaster plate plaza
pledge pliers plural plywood pocket podium poem poetry polish pony popcorn popular porch portal
postage potato pottery powder prairie pretzel prism project promise proud pulley pulp pumpkin pupil
puppet purple push pyramid python quack quail quality quantum quarter queen quest quiet quince
quiver quiz quote rabbit radar radiant raft rainbow raisin rally random ranger rapid razor reach
recipe record recycle reef refresh relax rename request resin resort revolve reward rhino rhubarb
rhythm ribbon rice riddle rigid rinse ripple river robin robot rodeo roller romance roof rotate
royal rubber ruby rudder ruler rustic safari saffron sailor salad salmon salsa salt salute sample
sandal sardine satchel satin saturn sausage scarf scatter school science scooter score scroll season
second sedan segment select sequel series sermon seven shade shampoo sheep shelf shield shine shirt
shovel shower shrimp shrub shuffle shuttle signal silence silk silver sister skate sketch skill
skyline slalom sled slice slope smart smile smooth snack snail snorkel snow soap soccer soda solar
solid solo sonnet soprano sorbet special speed spell sphere spider spin spiral splash sponge spoon
sport spray spring sprout spruce square squid stable stadium staff stamp steam step stereo stick
stitch stone stool studio subway success sugar suit summer sunset super surface sushi swallow swan
sweater swift swim swing syrup system tadpole talent talk tandem target taste tavern teacher teapot
temple tennis tent term terrace texture theme thicket thimble third thistle thorn thread thumb
thunder tiger tile timber tinsel tissue toddler tomato topaz topic towel town tractor trade traffic
trail treat trellis trident trophy truck trumpet trust tsunami tuba tulip tundra tunic tunnel turban
turkey turnip turtle tuxedo twelve twenty twig twist umpire uncle unicorn unison upgrade uplift
upward usher utensil vacuum valve vanilla vase vector vehicle velvet venture vessel viaduct victory
video view village vintage vinyl viola visible visual vital vivid vocal voice volcano volume voucher
voyage wafer waffle wagon wallet walnut walrus waltz wander washer wedding weekend welcome wetland
wheat whisper white wicker widget winner wisdom wolf wombat wool word wreath wrench yacht yard year
yoga zebra zenith zigzag zinc zinnia zipper zodiac zoology
"""

WORDS: Final = tuple(_TEXT.split())
WORD_SET: Final = frozenset(WORDS)
