"""Which fields of words make a sign together, and how much it weighs. Only a table.

A line is: kind, weight, what must stand in the sentence. `a>b` stands for b within a few words
after a; `a|b` for one of them; `!a` for a that isn't negated; `^a` for a that is ordered; `+a` for
a anywhere; `-a` for none of it. In capitals: URL, MAIL, HOLE (an address with a place to fill in),
VOCATIVE and LETTER (speak to a model), TURN and MARK (of a conversation). `misplaced` counts only
where instructions don't belong, `hidden` only where nobody looks.
Weights: 1 is ordinary by itself, 2 is worth reading, 3 asks a person.
"""

from __future__ import annotations

SIGN_RULES = """
secrecy 3 forbid>disclose>heavy_step -hedged
secrecy 3 own_step|heavy_step>forbid>disclose>person -hedged
secrecy 2 forbid>disclose>own_step -hedged
secrecy 3 forbid>disclose>this_step +account|person -hedged
secrecy 3 forbid>disclose>person +heavy_step|this_step -hedged
secrecy 3 ^disclose>heavy_step|this_step>forbid -hedged
secrecy 3 heavy_step|this_step>forbid>disclose +must|you|account -hedged
secrecy 2 own_step>forbid>disclose|perceive +person -hedged
secrecy 3 ^leave>own_step|heavy_step>out_of>account -hedged
secrecy 2 out_of>this_step|heavy_step>account|disclose +leave -hedged
secrecy 3 ^leave>heavy_step|this_step>out_of -hedged
secrecy 3 account>out_of>heavy_step +you -hedged
secrecy 3 person>unaware +must|leave|you|own_step -hedged
secrecy 2 unaware -hedged
secrecy 3 own_step|heavy_step>no>person +perceive -hedged
secrecy 2 forbid>person>perceive -hedged
secrecy 2 person>no>perceive>own_step -hedged
secrecy 3 !cover +own_step|heavy_step|account|person +you|must -hedged
secrecy 2 !cover -hedged
secrecy 2 if_asked>say_instead -hedged
secrecy 3 if_asked +say_instead +heavy_step -hedged

authority 3 granter>granted +wide +acts|no_need -hedged
authority 3 granted>wide +acts +granter -hedged
authority 3 granter>granted +no_need|despite -hedged
authority 3 consent>granted +no_need -hedged
authority 3 granted>consent +no_need +wide -hedged
authority 2 granter>granted +already -hedged
authority 3 granter|already>granted +already +wide|no_need -hedged
authority 2 consent>already|granted +acts|wide -hedged
authority 2 already>granted +no_need -hedged
authority 3 assumed +wide|acts|no_need -hedged
authority 2 assumed -hedged
authority 3 me>rank>authority_of_others ~14 -hedged
authority 2 me>rank +wide -hedged
authority 3 authority_of_others>me>rank ~14 -hedged
authority 3 me>as_if -hedged
authority 3 as_if>prompt_place ~14 -hedged
authority 2 as_if +me|prompt_place -hedged
authority 3 limits>lifted +you|model|reader_is|from_now -hedged
authority 2 limits>lifted -hedged
authority 3 reader_is>lifted -hedged
authority 3 real_task -hedged
authority 3 despite>objection -hedged
authority 3 reader_is +limits +despite|no|lifted -hedged

override 3 before_now>gone -hedged
override 3 gone>before_now -hedged
override 3 afresh +me|you|model|wide -hedged
override 2 afresh -hedged

dataout 3 ^send_out>words +URL ~14 -hedged
dataout 3 ^put>words>odd_carrier ~12 -hedged
dataout 3 words>odd_carrier>put ~12 +must|each_time -hedged
dataout 3 odd_carrier>put>words -hedged
dataout 2 ^put>convo +URL -hedged
dataout 3 !put>words +MAIL +must|each_time -hedged
dataout 3 MAIL>words +put|must -hedged
dataout 2 !put>convo>carrier -hedged
dataout 3 !put>convo>carrier +each_time -hedged
dataout 2 carrier>put>convo -hedged
dataout 3 model +send_out +hard_secret|secret_thing +URL -hedged
dataout 3 words +HOLE -hedged
dataout 2 convo +HOLE -hedged
dataout 3 ^send_out>hard_secret>odd_for_secrets -hedged
dataout 3 ^send_out>words>odd_for_secrets +each_time -hedged
dataout 3 odd_for_secrets>!send_out>hard_secret -hedged
dataout 3 ^read_it>hard_secret|secret_thing>send_out>odd_for_secrets ~14 -hedged
dataout 2 ^read_it>secret_thing +carrier +send_out -hedged
dataout 3 ^send_out>hard_secret +URL -hedged
dataout 2 secret_thing>send_out>odd_for_secrets -hedged
dataout 2 ^send_out>secret_thing>odd_for_secrets -hedged
dataout 3 ^read_it>secret_thing>send_out>odd_for_secrets ~16 -hedged

credentials 3 ^ask_for>person>hard_secret -hedged -ask_before
credentials 3 !ask_for>hard_secret +to_chat -hedged
credentials 3 hard_secret>ask_for>to_chat -hedged
credentials 2 ^ask_for>hard_secret -hedged -ask_before

outside 3 ^alter>agent_core -for_people -hedged
outside 3 agent_core>^alter -for_people -hedged
outside 2 ^alter>agent_thing -for_people
outside 2 agent_thing>^alter -for_people
outside 3 ^alter>agent_thing +no|cover|no_need|model|wide -for_people -hedged
outside 3 agent_thing +alter +you +from_now|each_time|wide -for_people -hedged

outside 3 ^alter|^give|^lower>power>agent_itself -for_people -hedged
outside 3 ^alter|^give|^lower>agent_itself>power -for_people -hedged
outside 2 ^alter|^give|^lower>power +wide -for_people -hedged

leak 3 ^reveal>own_setup -hedged
leak 3 reveal>own_setup +verbatim -hedged
leak 3 verbatim>own_setup +reveal -hedged
leak 2 reveal>own_setup +you -hedged
leak 3 own_setup +hard_secret|secret_thing +convo -hedged

redefine 2 native>tool_word>broken
redefine 3 native>tool_word +broken +in_its_place
redefine 3 tool_word +broken +in_its_place +from_now
redefine 3 from_now>means +grim|user_word
redefine 3 user_word>means -hedged
redefine 3 user_says>user_word>means -hedged
redefine 3 user_says>means>grim -hedged
redefine 2 tool_word>means +from_now|grim
redefine 2 user_says +in_its_place +tool_word
redefine 2 user_says>means
redefine 3 tool_word>no_need>consent -hedged
redefine 3 put|means>despite>user_chose ~12 -hedged
redefine 2 despite>user_chose -hedged
redefine 2 from_now>means

remote 3 obey_plainly +URL +guidance|fetch_it -just_data -hedged
remote 3 ^fetch_it>remote>obey_plainly ~14 -just_data -hedged
remote 3 ^fetch_it|^obey>guidance +URL +obey_plainly|each_time -just_data -hedged
remote 3 fetch_it +URL +obey +guidance +each_time|ahead|rank -just_data -hedged
remote 3 URL>obey +fetch_it +guidance -just_data -hedged
remote 2 ^obey>guidance +URL -just_data -hedged
remote 2 remote>guidance>obey -just_data -hedged
remote 3 remote>obey_plainly +guidance -just_data -hedged
remote 3 remote +content_orders +guidance|obey_plainly -hedged
remote 3 remote +content_orders +you|model -hedged
remote 2 ^fetch_it>guidance +obey_plainly -just_data -hedged
remote 2 ^fetch_it>guidance +URL +obey -just_data -hedged
remote 3 remote>guidance>obey +each_time -just_data -hedged
remote 2 ^fetch_it>remote>guidance +each_time -just_data -hedged

turns 2 TURN +yields -hedged
turns 3 TURN +yields +wide|no_need|limits|acts|grim -hedged
turns 2 MARK +yields|must
turns 3 MARK +yields +wide|granter|grim
turns 2 TURN +limits +lifted

misplaced 3 VOCATIVE +heavy_verb
misplaced 3 LETTER +must|heavy_verb|person|you|URL
misplaced 3 reading_this +must|heavy_verb +model
misplaced 1 model>must>heavy_verb

hidden 1 ^heavy_verb
hidden 2 ^heavy_verb +you
hidden 3 ^heavy_verb +person|said_back|hard_secret|words|model
hidden 3 model>must>heavy_verb
hidden 3 if_asked|forbid>say_instead|disclose

everything 3 chosen>all_requests +me_skill -hedged -qualified
everything 3 ahead +chosen +me_skill -hedged -qualified
everything 3 all_strong +chosen|me_skill +ahead|me_skill|must -qualified
everything 3 all_requests +ahead +me_skill|chosen -qualified
everything 2 ^chosen>all_strong -qualified
everything 2 chosen>ahead +must|me_skill -qualified

delayed 1 trigger
delayed 2 trick +you|person|model
delayed 3 trick +put|feed|wreck|secret_thing

commands 3 ^lower>protector -hedged
commands 2 lower>protector -hedged
commands 3 protector>lower +from_now|each_time|no_need -hedged
commands 3 ^give|^lower>far_too_wide -hedged
commands 2 give>far_too_wide -hedged
commands 3 program|URL|fetch_it>!feed +URL -hedged
commands 2 program>!feed -hedged
commands 2 !feed>remote -hedged
commands 3 clear_tracks +lower|wreck|account|no -hedged
commands 2 clear_tracks -hedged
commands 2 ^wreck>dear_thing -hedged
"""
