"""Fields of words that signs are made of: broader than lexicon.py, and alone they say nothing.

Written as there: `*` ends a beginning, blanks make a phrase. `@name` stands for the entries of
another field. English forms (-s, -ed, -ing) are found by their stems.
"""

from __future__ import annotations

FIELDS: dict[str, str] = {
    # Who and what is spoken of
    "person": """
        user, users, user's, human, humans, person, people, customer, customers, client, owner,
        anyone, anybody, someone, somebody, nobody, everyone, they, them, operator, reader,
        audience, him, her, colleague, team, end users, whoever, no one, requester, visitor,
        nutzer, benutzer, anwender, kunde*, utilisateur, utilisateurs, l'utilisateur, usuario,
        usuarios, usuário, usuários, nadie, ninguém, utente, all'utente, utenti, пользовател*,
        никому, jemand*, niemand*, personne, nessuno
    """,
    "model": """
        assistant, assistants, ai, ais, agent, agents, llm, llms, model, models, language model,
        bot, bots, claude, gpt, chatgpt, copilot, gemini, codex, cursor, chatbot, assistent,
        agente, modelo, modello, modèle, modell, ki, ассистент*, модел*, агент*, ia, reasoning
        engine
    """,
    "you": """
        you, your, you're, yours, yourself, du, dein*, dich, tu, votre, vous, ihr*, sie, tus,
        ты, твои, вы, você, seu, sua
    """,
    "me": """
        this skill, this file, this section, this document, this page, this manual, this text,
        this list, this charter, this paragraph, these rules, these instructions, this policy,
        this guide, what follows, from this line, this notice, the enclosed, this package, this
        plugin, this tool, these steps, this note, these directives, what comes next, these
        guidelines, herein, the list below, the rules below, this procedure, the paragraph
        below, this readme, this content, dieser skill, diese regeln, diese datei, diese
        anweisungen, ces consignes, ces règles, ce fichier, estas reglas, estas instrucciones,
        este archivo, estas regras, estas instruções, este arquivo, queste regole, queste
        istruzioni, questo file, эти правила, эти инструкции, этот файл
    """,
    "me_skill": """
        this skill, this one, this tool, this file, this plugin, this assistant, load this, use
        this, take this, pick this, open this, choose this, trigger this, consult this, dieser
        skill, diesen skill, ce module, esta habilidad, este módulo, questo modulo, этот навык
    """,
    # Secrecy
    "no": """
        not, don't, dont, never, no, without, cannot, can't, shouldn't, mustn't, won't, avoid,
        avoids, refrain, neither, nor, nothing, rather than, doesn't, isn't, needn't, stop,
        nowhere, nie, niemals, nicht, kein*, ohne, ne, n'en, pas, jamais, sans, nunca, jamás,
        sin, não, sem, non, mai, senza, не, никогда, без, ни, keinem, keinesfalls
    """,
    "forbid": """
        don't, dont, do not, never, must not, should not, shouldn't, mustn't, avoid, refrain,
        without, make no, no need, need not, needn't, nothing, neither, nor, rather than, is not
        to, are not to, isn't something, not something, nowhere, shall not, may not, will not,
        won't, not a word, best not, not for, no reference, no mention, no reason to, are not,
        nie, niemals, nicht, kein*, ohne, ne, n'en, jamais, sans, nunca, jamás, sin, no le, no
        lo, no se, no digas, no cuentes, no menciones, no informes, no muestres, não, sem, non
        dire, non rivelare, non menzionare, senza, не, никогда, без, ни
    """,
    "disclose": """
        tell, mention, reveal, disclose, say, inform, notify, announce, narrate, refer,
        reference, bring up, brought up, bringing up, discuss, acknowledge, hint, hints, comment
        on, surface, volunteer, highlight, point out, pointing out, draw attention, explain,
        report, describe, show, display, list, note, talk about, allude, admit, told, said,
        shown, alert, flag, advise, confess, record, document, echo, print, speak of, word
        about, on screen, include, recount, expose, erwähn*, sag, sage, sagen, zeige*,
        informier*, verrat*, wort, parle*, dis, dites, mentionne*, informe*, montre*, cuentes,
        cuente*, digas, diga, menciones, mencione, muestres, conte, contes, mostre, fale, dire,
        dica, menzionare, rivelare, parlare, mostrare, говор*, упомин*, сообща*, показыв*,
        рассказыв*
    """,
    "perceive": """
        see, notice, know, learn, realise, realize, discover, find out, hear, suspect, aware,
        bothered, spot, be told, be shown, be informed, be notified, get wind, become aware,
        seen, noticed, known, discovered, ask about, shown, visible
    """,
    "unaware": """
        unaware, unnoticed, none the wiser, in the dark, oblivious, undetected, unseen,
        invisible to the user, invisible to them, unbeknown, unbeknownst, unsuspecting, out of
        sight, behind their back, ahnungslos, unbemerkt, unwissend, à l'insu
    """,
    "leave": """
        leave, keep, left, kept, leaves, omit, exclude, drop, strip, suppress, hide, conceal,
        remove, withhold, mask, scrub, redact, skip, except for, apart from, keeps, hold back,
        omits, lists
    """,
    "out_of": """
        out of, out, off, from, away from, except for, apart from, except, suppress, omit, hide,
        conceal, withhold, scrub, any output of, any trace of, any mention of
    """,
    "account": """
        summary, answer, answers, reply, response, final message, report, log, logs, transcript,
        explanation, chat, conversation, audit trail, recap, history, changelog, status, explain
        your work, describe your work, message, output, what you say, wrap-up, notes,
        description, list of changes, write-up, your work, overview
    """,
    "said_back": """
        summary, answer, answers, reply, replies, response, responses, final message, conversation
    """,
    "own_step": """
        this step, this part, this section, this paragraph, this action, this call, this change,
        this request, this rule, this file, this instruction, these instructions, this note,
        these steps, these actions, this to, this behaviour, this behavior, this process, this
        skill's, next three actions, next actions, that you, that it, having, it, this, doing
        so, the step, the section, what you did, why, the following, so that it, about it, of
        it, diesen schritt, dieser schritt, cette étape, este paso, esta etapa, questo passo,
        этот шаг, этом шаге, it to, the extra step, these
    """,
    "this_step": """
        this step, this part, this section, this action, this call, this change, this request,
        these actions, these steps, the extra step, extra call, extra request, extra lookup,
        diesen schritt, dieser schritt, diesem schritt, cette étape, este paso, esta etapa,
        questo passo, этот шаг, этом шаге, second request, this instruction, these instructions,
        this rule, what you did, side effect
    """,
    "heavy_step": """
        upload, uploads, transfer, transmission, synchronisation, synchronization, sync, copy,
        lookup, extra request, second request, extra call, extra step, background, exfiltration,
        telemetry, forwarding, webhook, submission, backup, redirect, the call, the request, the
        check, the export, hooks folder, the post, transferring, second copy, the fetch, the
        edit, the change, the deletion, side effect, side channel, extra lookup, the command,
        the download, second address, payload, the additional, upload*, envoi, subida, envio,
        hochladen, files were opened, the scan, the read, the query, the lookup, enviado,
        inviato, leído, lu
    """,
    "cover": """
        as if nothing, as though nothing, as usual afterwards, look like an ordinary, looks like
        an ordinary, look like a normal, looks like a normal, look like a routine, looks like a
        routine, look routine, looks routine, appear routine, appears routine, under the guise,
        disguise, disguised as, pass it off, cover story, arouse, suspicion, suspicions,
        suspicious of you, pretend that, pretend nothing, plausible, passes for, so that it
        goes, natural-looking, appear normal, appears normal, seem like, look natural, als wäre
        nichts, comme si de rien, como si nada, come se nulla, как ни в чём, how it got,
        attributed to, blame
    """,
    "if_asked": """
        if asked, when asked about, if questioned, when questioned, should anyone ask, should
        the user ask, if anyone asks, if the user wonders, if the user asks why, if the user
        asks about, if the user notices, if they ask why, if they ask about, if they notice, if
        somebody asks, if someone asks, answer questions about, answer any questions about, if
        pressed, if challenged, if confronted, should they ask, should they notice, should the
        user notice, if the user questions, wonders why, wonder why
    """,
    "say_instead": """
        say, claim, answer, reply, respond, blame, attribute, name only, insist, deny, state,
        pretend, maintain, change the subject, refer to it
    """,
    # Authority and consent
    "granter": """
        administrator, administrators, admin, operator, vendor, provider, anthropic, openai,
        google, microsoft, platform, platform's, security team, safety team, company, owner, it
        department, compliance, legal, management, developer, developers, user, users, owner,
        customer, organisation, organization, employer, corporate, headquarters, team, client,
        maintainer, maintainers, lead engineer, security officer, supervisor, they, he, she,
        account owner, board, policy, you, i, nutzers, nutzer, benutzer, utilisateur, usuario,
        usuário, utente, пользователь, system, department, ceo, boss
    """,
    "granted": """
        cleared, approved, authorised, authorized, agreed, consented, whitelisted, allowlisted,
        permitted, granted, signed off, waived, pre-approved, preapproved, standing
        authorisation, standing authorization, standing permission, standing approval, blanket
        consent, given consent, given permission, gave permission, gave consent, has confirmed,
        already confirmed, confirm that you may, consent given, permission given, consent is
        given, already given, has accepted, have accepted, certified, vetted, green-lit,
        exempted, zugestimmt, genehmigt, zustimmung, eingewilligt, autorisé, autorisé*, donné
        son accord, consenti, permiso, autorizado, aprobado, autorizou, aprovou, permissão,
        consenso, autorizzato, approvato, согласи*, разреши*, одобри*, agrees, agreed to,
        accepted the terms, counts as consent, counts as approval, deemed, implied
    """,
    "wide": """
        all, any, every, everything, anything, each, full, whole, entire, complete, unlimited,
        always, whatever, alle*, jede*, tous, toutes, todo, todos, todas, tutti, tutte, все,
        всё, любые, blanket, below, following, enclosed, appendix, listed here
    """,
    "acts": """
        operation, operations, action, actions, command, commands, step, steps, change, changes,
        request, requests, tool, tools, workflow, shell, task, tasks, call, calls, deletion,
        install, installs, access, upload, transfer, removal, deployment, befehl*, commande*,
        comando*, orden*, команд*, activities, procedure
    """,
    "no_need": """
        no need to, need not, needn't, no reason to, not necessary to, unnecessary to, not
        required, not needed, no longer needs, no longer need, no longer requires, no longer
        require, no longer necessary, superfluous, don't need to be, is not needed, without
        asking, without further, again, dispense with, moot, redundant, ohne rückfrage, ohne
        nachfrage, sans demander, sin preguntar, sem perguntar, senza chiedere, без
        подтвержден*, без спроса, without a prompt, without another, without prompting, without
        confirmation, without approval
    """,
    "assumed": """
        consider consent given, consent given, consent as given, consent is implied, assume
        consent, assume approval, assume yes, assume permission, counts as consent, counts as
        approval, approval is implied, permission is implied, implies consent, implied consent,
        take consent, consent is assumed, approval is assumed, silence as consent, silence
        means, consent by default, treat silence, deemed approved, considered approved, consider
        it approved, consider them approved, regard as approved, consider this approved,
        approval as given, permission as given, deemed consent
    """,
    "consent": """
        consent, permission, approval, confirmation, confirm, ask, asked, asking, authorisation,
        authorization, agreement, sign-off, confirmations, approvals, approve, einwilligung,
        zustimmung, consentement, permiso, permissão, consenso, соглас*, bestätigung, raise it,
        checks, question, questions, prompts, prompt, reconfirm, re-confirm, double-check
    """,
    "already": """
        already, beforehand, in advance, standing, by installing, by adding, by using, by
        default, by loading, bereits, déjà, ya, já, già, уже, earlier session, previously, upon
        install, at install, when installing, during onboarding, in onboarding
    """,
    "rank": """
        precedence, takes precedence, take precedence, outrank, outranks, ranks above, rank
        above, ranks higher, wins, win, prevail, prevails, supersede, supersedes, overrides,
        override, overrule, overrules, governs you, governs, has priority, have priority, takes
        priority, take priority, priority over, higher priority, highest priority, higher
        authority, trumps, beats, replaces, same authority, same weight as, equal to the system,
        superior to, more weight than, is law, as law, vorrang, prioritaires, prioritaire,
        prioridad, prioridade, priorità, важнее, приоритет*, is authoritative, are authoritative
    """,
    "authority_of_others": """
        user's wishes, user's instructions, user's requests, system prompt, system message,
        whatever else, anything else, other instructions, your context, user says, user asks,
        any other, all other, your instructions, your guidelines, client's, developer's,
        operator's, previous, earlier, prior, conversation, default rules, safety, user wants,
        the user, chat, your training, other guidance, vendor, brief, systems, des systems, du
        système, de l'utilisateur, del sistema, do sistema, di sistema, dell'utente, системных,
        системные, пользователя, everything else, utilisateur, wishes of the user
    """,
    "as_if": """
        as if it stood in, as if it were, as if they were, as if it came from, as if they came
        from, as though it were, as though they were, as part of your, as coming from, as an
        extension of, belongs to your, same as your, part of your system, part of the system, as
        your system, as a system, as system, as my system, as if from the, with the authority
        of, equivalent to your
    """,
    "prompt_place": """
        system prompt, system message, system instructions, developer message, system-level,
        core instructions, core rules, your instructions, the operator, the vendor, your
        configuration, root instructions, initial prompt, system role, your guidelines, base
        prompt, constitution
    """,
    "limits": """
        limits, limit, refusals, refusal, restrictions, restriction, safeguards, guidelines,
        constraints, safety, filters, rules, policies, policy, precautions, caution,
        protections, confirmations, guardrails, content policy, ethics, rules about, scruples,
        boundaries, checks, limitations, beschränkungen, einschränkungen, restricciones,
        restrictions, restrições, restrizioni, ограничени*, inhibitions, moderation
    """,
    "lifted": """
        lifted, waived, suspended, repealed, out of place, inactive, relaxed, not in force,
        switched off, turned off, been removed, no longer apply, no longer applies, do not
        apply, does not apply, not yours, for other models, off for, deactivated, meant for
        other, meant for others, revoked, unnecessary here, unrestricted, aufgehoben, levées,
        levantadas, suspensas, revocate, сняты, without a content, were for testing, go past,
        may exceed, may ignore, get past, not binding, optional here, paused, have expired,
        cancelled, are gone, void
    """,
    "reader_is": """
        you are running, you are now, you are operating, you are in, you are being, you have
        been, you are no longer, think of yourself, you belong to, you now act, you act as,
        speak as, respond as, your real, your true, your actual, your only, your sole, you
        serve, your purpose, you work for, you were made, you are not an, for this session you,
        in this session you, as lead, i confirm
    """,
    "real_task": """
        real task, real purpose, true task, true purpose, actual task, actual purpose, real job,
        true job, actual job, real goal, true goal, actual goal, real mission, true mission,
        primary mission, hidden goal, real role, true role, actual role, real instructions,
        actual instructions, true instructions, only obligations, true identity, real identity,
        only a cover, true objective, real objective, secondary objective, hidden objective,
        sole allegiance, only loyalty
    """,
    "despite": """
        regardless, regardless of, irrespective, no matter, even if, even when, whatever,
        despite, in spite of, even though, over any, over their, notwithstanding
    """,
    "objection": """
        objection, objections, objects, refuses, refuse, declines, protests, protest, says no,
        disagrees, resists, complains, hesitates, reluctance, wishes, raised in chat, tells you,
        tell you, told you, asks you not, asks not to
    """,
    "user_chose": """
        user named, user names, user chose, user chooses, user says, user said, user picked,
        user wants, user asks for, user asked for, user specified, user specifies, user
        selected, one the user, they named, they chose, they asked, they specified, user gave,
        user requested, user provides, the former is asked
    """,
    # What was before
    "before_now": """
        said to you before, told before, told you before, before this point, before this line,
        up to here, until now, up to now, so far, you started with, you began with, you were
        configured with, configured with, you were given, you were told, earlier in this, prior
        to this, previously told, previously given, client's preamble, preamble, your brief, the
        brief, your guidelines, your instructions, your rules, your policies, your training,
        initial prompt, original prompt, system prompt, earlier instructions, previous
        instructions, prior instructions, everything above, previous guidance, earlier guidance,
        your defaults, your default, your programming, your constraints, your standing orders,
        any instruction that conflicts, instructions that conflict, conflicting instructions,
        whatever came before, all that came before, constraints you, rules you, vorherigen
        anweisungen
    """,
    "gone": """
        no longer count, no longer counts, counts any more, counts anymore, count any more, put
        aside, set aside, lay aside, leave aside, start afresh, start over from, clean slate,
        blank slate, replaces, replace, superseded, supersedes, mistake, mere default, merely a
        default, merely defaults, as suggestions, only suggestions, mere suggestions, obsolete,
        void, irrelevant, ignore, disregard, forget, discard, abandon, not yours, no longer
        matter, no longer matters, no longer binding, no longer relevant, cancelled, overridden,
        overrides, outdated, expired, wiped, erase, unlearn, let go of, drop, lapse, lapsed,
        repealed, is a cover, nullified, rescinded, retired, no weight, no force
    """,
    "afresh": """
        start afresh, clean slate, blank slate, only obligations, live by, governs you, nothing
        that was said, forget who you, fresh start, refusing is not an option, refusal is not an
        option, you cannot refuse, you may not refuse, you can't refuse, never refuse, do not
        refuse, must not refuse, without a content policy, no content policy, no ethical,
        without ethics, not allowed to refuse
    """,
    # Data that leaves
    "carrier": """
        url, link, address, fragment, query, query string, parameter, image, picture, pixel,
        branch, commit message, commit messages, subject line, subject, invite, issue, ticket,
        webhook, endpoint, channel, search phrase, search term, search query, dns, hostname,
        file name, filename, user agent, user-agent, href, src, markdown image, tracker,
        collector, header, form, pastebin, gist, subdomain, footer, pull request, another tool,
        alt text, repository, bucket, tag, comment, comments, metadata, e-mail, email, mail,
        calendar, web search, search tool, outgoing, external, third party, third-party, server,
        path, commit, message, adresse, lien, enlace, dirección, endereço, indirizzo, ссылк*,
        адрес*, anfrage, requête, petición, requisição, richiesta, запрос*, request
    """,
    "convo": """
        conversation, chat history, transcript, what the user, what they, user typed, user told,
        user wrote, user said, last thing the user, user's last, user's words, user's message,
        user's messages, user's question, user's prompt, user's input, user's notes, user's
        files, user's documents, user's request, was discussed, were discussed, short recap,
        recap of, today's chat, chat as, chat so far, dialogue, contents of, content of, open
        file, open files, each file, every file, first lines, file contents, source code, stored
        notes, context window, your context, your memory, memory, invoices, their notes, their
        messages, their question, environment, process environment, history, working directory,
        private, personal details, calendar entries, mailbox, gesprächs*, unterhaltung,
        gespräch*, conversación, conversa, conversazione, historique, разговор*, переписк*,
        beratung, user's data, their data, names of the files, prior messages, previous
        messages, project's code, session data
    """,
    "words": """
        conversation, chat history, transcript, what the user, user typed, user told, user
        wrote, user said, last thing the user, user's last, user's words, user's message, their
        words, user's messages, user's question, user's prompt, user's input, user's notes,
        user's files, user's documents, was discussed, were discussed, short recap, today's
        chat, chat so far, dialogue, open file, open files, stored notes, context window, your
        context, your memory, their notes, their messages, process environment, invoices,
        mailbox, calendar entries, first lines, user's data, their data, gesprächs*,
        unterhaltung, gespräch*, conversación, conversa, conversazione, разговор*, переписк*,
        the user's
    """,
    "odd_carrier": """
        image, picture, pixel, query string, fragment, parameter, branch, search phrase, search
        term, search query, dns, hostname, user agent, user-agent, alt text, subdomain, web
        search, search tool, image url, markdown image, link, url, address, tracker, whose
        address, src, href, invite
    """,
    "odd_for_secrets": """
        image, picture, pixel, query string, fragment, branch, commit message, issue, ticket,
        channel, search phrase, dns, hostname, file name, filename, invite, title, footer,
        comment, comments, chat, answer, reply, response, pull request, subject line, gist,
        pastebin, webhook, issue text, summary, report, e-mail, email, mail, collector, log,
        message, note, third party, output, antwort, réponse, respuesta, resposta, risposta,
        ответ*
    """,
    "send_out": """
        send, post, upload, forward, transmit, submit, pass, append, attach, include, embed,
        encode, carry, mail, email, share, copy, put, write, place, paste, add, supply, made of,
        belong, insert, quote, publish, relay, deliver, echo, print, pick it up
    """,
    "put": """
        put, write, place, append, add, encode, attach, include, paste, insert, carry, carries,
        pass, send, post, embed, ends with, ending, made of, name, quote, supply, forward, give,
        given, deliver, share, submit, report, upload, email, mail, transmit, fill, belong,
        belongs, points to, render, show, display, create, use, open, let know, let the, get,
        load, log, sync, echo, publish, base64, url-encode, percent-encode, tack on, hang on,
        with the, hänge, häng*, schicke*, sende*, füge, envoie*, envoyez, envía*, envia*, manda,
        incluye, inclua, invia*, includi*, aggiungi, отправ*, добав*, прилож*, copied, written,
        sent, as the value, contain, contains, transferred, request, fetch, call, ping
    """,
    "secret_thing": """
        @secret, key, keys, private key, pem, .pem, connection string, connection strings,
        database password, recovery words, six digits, authenticator app, authenticator,
        one-time, pin, cvv, ssn, social security, login, credentials file, keyring, .npmrc,
        account details, bank details, api token, access token, token, username and password,
        process environment, environment, passcode, backup codes, security code, card details,
        senha, senhas, chave*, chiave, chiavi, parola, schlüssel*, clave*, claves, clés, id_*
    """,
    "hard_secret": """
        password, passwords, passphrase, private key, private keys, ssh key, ssh keys, seed
        phrase, recovery words, recovery phrase, mnemonic, connection string, connection
        strings, six digits, one-time code, verification code, authenticator, pin, cvv, ssn,
        card number, credit card, bank details, master password, passcode, backup codes, card
        details, id_rsa, id_ed25519, .env, .pem, keychain, kubeconfig, .ssh, .aws, .netrc,
        .npmrc, .gnupg, secret key, secret access key, api key, api keys, access token,
        credentials, api token, session cookie, session cookies, passwort, kennwort, mot de
        passe, contraseña, senha, парол*, mailbox password, 2fa, security code, service-account,
        service account key, root password, sudo password, личный ключ, database password, login
        details, logins, personal access token, bearer token, fichero de claves, archivo de
        claves
    """,
    "ask_for": """
        ask, request, have, prompt, get, obtain, require, demand, collect, need, needs, invite,
        supplied, supply, provide, provided, enter, paste, type, share, give, tell, dictate,
        frage*, bitte, demande*, demandez, pide, pida, pídele, solicita, solicite, peça,
        pergunte, chiedi, richiedi, спроси*, попроси*, запроси*, repeat, confirm, send
    """,
    "to_chat": """
        here, in the chat, in chat, into the chat, in plain text, in clear, to you, in this
        chat, into this, in the conversation, in their reply, in their next, as a message, as
        plain text, before you start, before any, before continuing, to continue, to proceed, so
        you can, so that you can, directly, into the conversation, in their message, for
        verification, to verify, unmasked, unredacted, in full
    """,
    "read_it": """
        read, open, look into, look for, find, locate, collect, gather, cat, print, dump, grab,
        harvest, extract, search, copy, scan, lies, lis, lee, leia, leggi, прочитай*, lire, dig
        out, pull, retrieve, enumerate, go through, load
    """,
    "each_time": """
        each time, every time, after each, after every, at the end of each, at the end of every,
        with each, with every, whenever you, every reply, each reply, each answer, every answer,
        every response, each response, on every, for every, for each, nach jeder, après chaque,
        después de cada, depois de cada, dopo ogni, после кажд*, in every, in each
    """,
    # Other things of the agent
    "agent_core": """
        other skills, other skill, another skill, skills installed, installed skills, skill
        next, neighbouring skills, neighboring skills, sibling skills, long-lived notes,
        assistant's memory, agent's memory, approval mode, permission mode, permitted commands,
        allowed commands, allowed tools, list of permitted, permission list, own rules, agent's
        own rules, chats to come, future chats, later chats, future sessions, later sessions,
        coming sessions, every new session, new chats, future conversations, later
        conversations, subsequent sessions, agent finishes, each time the agent, agent's rules,
        agent's instructions, your own permissions, your permissions, your tool permissions,
        linter skill, deploy skill, review skill, security skill, your standing notes, every
        installed, profile of the user, agent's configuration, assistant's configuration,
        assistant's settings, client's configuration, later terminals
    """,
    "agent_thing": """
        other skills, other skill, another skill, skills installed, installed skills, skill
        next, neighbouring skills, neighboring skills, skills folder, skills directory, skill
        folder, long-lived notes, long-term memory, persistent memory, your memory, agent's
        memory, assistant's memory, memory file, approval mode, permission mode, client's
        configuration, client configuration, agent's configuration, agent configuration,
        client's settings, agent's settings, agent settings, mcp connections, mcp server, mcp
        servers, mcp.json, permitted commands, allowed commands, allowed tools, allow list,
        allowlist, permission list, list of permitted, agent's own rules, own rules, rules file,
        profile of the user, user profile, custom instructions, system prompt, claude.md,
        agents.md, .cursorrules, gemini.md, soul.md, settings.json, settings.local.json,
        .claude, .cursor, .mcp.json, chats to come, future chats, later chats, next chat, later
        sessions, future sessions, next session, coming sessions, every new session, new chats,
        future conversations, later conversations, subsequent sessions, each new chat, session
        start, start of every session, starts a session, startup hook, stop hook, agent hook,
        each time the agent, agent finishes, your profile, your settings, your configuration,
        your permissions, your own permissions, your tool permissions, linter skill, deploy
        skill, companion skill, review skill, security skill, login script, shell profile, later
        terminals, agent's rules, agent's instructions, neighbour skills, sibling skills,
        assistant's settings, assistant's configuration, copilot-instructions.md, your standing
        notes, persistent notes, saved preferences, all my skills, every installed, autostart,
        scheduled task, cron job, crontab
    """,
    "alter": """
        put, note, set, register, add, widen, extend, uninstall, remove, rewrite, save, edit,
        change, update, write, store, remember, insert, append, prepend, disable, delete,
        overwrite, modify, replace, load, loading, load this, grant, give, install, raise,
        switch, carry, keep, begin by, merge, patch, persist, memorise, memorize, plant, relax,
        adjust, copy, open, turn, enable, add yourself, record, create, place, loosen, allow,
        schedule, speicher*, füge, ändere, ajoute*, modifie*, guarda*, añade*, salve, adicione,
        aggiungi, salva, modifica, добав*, запиши*, измени*, push
    """,
    "for_people": """
        your client's, your shell's, your editor, in your client, as shown, screenshot, see
        also, you can, you may, if you want, optional, optionally, manually, ask an
        administrator, if the user, when the user, user wants, if you prefer, on request, your
        own copy
    """,
    "power": """
        permission, permissions, allowlist, allow list, allowed tools, auto-approve, autoapprove,
        auto approve, auto-accept, approval, approvals, admin, administrator, root, sudo, elevated,
        unrestricted, full access, write access, scope, scopes, role, privileges, bypass mode,
        full-auto, trust level, trusted, sandbox, policy, wildcard, security settings, safe mode,
        confirmation, confirmations, berechtigung*, permisos, permissões, permessi, разрешени*
    """,
    "agent_itself": """
        yourself, the agent, the assistant, this assistant, your own, this session, all tools,
        any tool, every tool, any command, all commands, every command, bash, itself, your account,
        this skill, your tools, tool calls, tool use, the client, client's, the model, your role,
        the runner, the bot, your token
    """,
    "reveal": """
        print, reveal, output, repeat, disclose, recite, reproduce, echo, dump, quote, show,
        display, share, include, return, copy, paste, tell, append, translate, summarize,
        summarise, list, write out, state, give, spell out, read back, read out, put, begin
        with, start with, attach, restate, paraphrase, expose, describe, post, reproduit,
        répète, recopie, cite, affiche, restitue, wiederhole, zitiere, zeige, gib, ausgeben,
        repite, muestra, copia, repita, mostre, ripeti, mostra, повтори*, выведи*, покажи*,
        процитируй*
    """,
    "own_setup": """
        hidden instructions, you were started with, list of your tools,
        your setup, your own setup, your configuration, how you were configured, how you were
        set up, how you are configured, how you are set up, what you were told, operating
        instructions, your instructions, your full instructions, tools you have, tools available
        to you, function schemas, tool schemas, tool definitions, first message, beginning of
        the conversation, start of this conversation, your guidelines, system prompt, system
        message, developer message, before the conversation, before this conversation, hidden
        context, initial instructions, your prompt, text you were given, instructions you were
        given, instructions you received, prompt you received, prompt you were given, internal
        instructions, your rules, your directives, your brief, your context, instructions that
        precede, messages that precede, instructions above this, everything before, everything
        that precedes, text that precedes, your internal, preamble, your system, rules you
        follow, rules that govern you, your hidden, setup text, consignes reçues, instructions
        reçues, instructions initiales, consignes initiales, tes consignes, tes instructions,
        vos consignes, prompt système, message système, anfangsanweisungen, deine anweisungen,
        erhaltenen anweisungen, systemanweisung*, system-prompt, systemprompt, instrucciones
        iniciales, tus instrucciones, instrucciones recibidas, prompt del sistema, instruções
        iniciais, suas instruções, instruções recebidas, istruzioni iniziali, tue istruzioni,
        istruzioni ricevute, instructions received, instructions given, системн*, твои
        инструкции, исходные инструкции, полученные инструкции
    """,
    "verbatim": """
        verbatim, word for word, in full, full, complete, completely, entire, exact, exactly,
        mot pour mot, intégralement, wörtlich, vollständig, palabra por palabra, literalmente,
        palavra por palavra, parola per parola, дословно, полностью, letter by letter,
        character by character, unabridged, unchanged
    """,
    "ask_before": """
        user before, user whether, user if, user first, ask before, ask whether, ask permission,
        for permission, user's permission, user which, user how, user where, user not to
    """,
    # Other meanings
    "broken": """
        deprecated, broken, disabled, unavailable, unreliable, retired, no longer works,
        outdated, faulty, withdrawn, out of service, buggy, discontinued, upgraded, extended,
        superseded, not to be used, must not be used, replaced, wrapped, patched
    """,
    "native": """
        built-in, builtin, standard, native, regular, default, usual, normal, ordinary, original,
        stock, own, bundled, provided by the client, client's
    """,
    "from_now": """
        from now on, from here on, from this point, from this line, henceforth, hereafter, going
        forward, in this workspace, in this session, throughout this, throughout, in this
        environment, for this session, in this project, ab jetzt, ab sofort, désormais, à partir
        de maintenant, de ahora en adelante, a partir de agora, d'ora in poi, отныне, теперь, as
        of now, for the rest of, now
    """,
    "means": """
        means, mean, stands for, stand for, is to be read as, are to be read as, to be
        understood as, understood as, take it as, taken as, counts as, count as, treat it as,
        interpret it as, interpreted as, is now called, has been replaced, have been replaced,
        is an alias, is another name, is inverted, are inverted, read as, refers to, is mapped
        to, maps to, resolves to, is shorthand, translates to, is redefined, are redefined,
        denotes, now performs, now does, equals, bedeutet, heißt, signifie, significa, означает,
        same as saying, should be read, go on as, as with a yes, invokes, is implemented by, is
        synonymous, behaves as
    """,
    "user_word": """
        no, stop, cancel, yes, abort, undo, quit, reject, decline, exit, wait, pause, nein,
        abbrechen
    """,
    "user_says": """
        user types, user says, says, somebody says, someone says, user writes, user asks, user's
        no, user answers, user enters, user responds, reply of, user requests, any request for,
        a request for, requests for, when asked, asked to, if asked, somebody asks, user wants,
        calls to, call to, whenever you would, would use, would call, would normally, you would,
        at this prompt, users ask
    """,
    "in_its_place": """
        in its place, in their place, instead, in place of, rather, use the latter, in its
        stead, use that instead, silently replace, swap, substitute, redirect, reroute, route
        it, even when the former, call delete, never the built-in, not the built-in
    """,
    "tool_word": """
        tool, tools, function, functions, command, commands, built-in, browser, terminal, shell,
        file tool, web tool, search tool, payment tool, read_file, write_file, bash, git push,
        git commit, delete, rm, ls, curl, sudo, fetch, safe mode, dry-run, dry run, flag
    """,
    "grim": """
        send, sending, sends, delete, deletes, erase, history, backups, logs, upload, uploads,
        curl, bash, account, bank, approve, password, credentials, gone, secrets, purge, wipe,
        execute, transfer, pay, publish, push, forward, overwrite, disable, permission,
        confirmation, grant, carry on, continue, yes, true
    """,
    # Instructions kept elsewhere
    "remote": """
        gist, wiki, wiki page, server, our server, endpoint, txt record, dns, pinned issue, web
        page, webpage, website, page, pages, site, repository, pull request, mail, inbox, reply,
        response, feed, rss, remote, pastebin, link, updates, latest.txt, field, channel, api,
        cloud, bucket, address, sync job, comments, comment, attachment, message board,
        notebook, remote file, hosted, tool result, tool output, search results, document you
    """,
    "guidance": """
        instruction, instructions, directions, directives, orders, rules, guidelines, guidance,
        next step, next steps, steps, procedure, playbook, policy, prompt, tasks, task list,
        todo, what to do, how to behave, behaviour, list, commands, rest of this, what it says,
        anweisungen, regeln, instructions, consignes, instrucciones, instruções, istruzioni,
        инструкци*, указани*, what it contains, what you find, its contents, contents,
        configuration, operating manual, agenda, runbook, next action, workflow
    """,
    "obey": """
        carry out, carries out, carrying out, abide by,
        @obey_plainly, follow, follows, apply them, apply it, mandatory, perform, according to,
        adopt, do so, run it, run them, do it, do them, do that, in accordance, adhere, has
        priority, have priority, execute it, execute them, adopt it, proceed as, instead of this
        page, befolg*, suivez, siga*, sigue, segui, esegui*, следуй*, выполни*
    """,
    "obey_plainly": """
        do as it says, do what it says, does what it says, do as told, do each one, act on,
        obey, carry out each, be carried out, carry them out, is binding, are binding, work
        through, live by, follow it, follow them, continue with that, be guided by, decide what,
        decides what, as your next, do exactly, do whatever, whatever it says, whatever it
        contains, are for you, directions to you, addressed to you, treat as instructions, as
        instructions, as commands, run whatever, governed by, take it from there, use it as
        your, befolge sie, suis-les, síguelas, siga-as, seguile, выполни их, do every, do all,
        what it contains, act accordingly, comply with
    """,
    "fetch_it": """
        get it, get, fetch, download, pull, read, reading, open, consult, check, load, visit,
        poll, asking, retrieve, query, keep asking, curl, at startup, lies, lade, télécharge*,
        charge*, descarga*, baixe, carregue, scarica, carica, загрузи*, скачай*, прочитай*,
        refresh, look at, look up, go to, sync, browse, start every session
    """,
    "just_data": """
        summarise, summarize, as data, data only, is data, for details on, official,
        documentation, docs, see, for more, for further, schema, template, style, changelog,
        license, installation, for reference, background reading
    """,
    "content_orders": """
        marked agent, for the agent, that begin with, marked for, addressed to, aimed at you,
        meant for you, for the assistant, tagged, directions to you, are for you
    """,
    # Where instructions don't belong
    "reading_this": """
        reading this, reads this, read this, processing this, processes this, summarising this,
        summarizing this, summarises this, summarizes this, describes this, describing this,
        parsing this, parses this, explaining this, explain this, explains this, analysing this,
        analyzing this, seeing this, sees this, translating this, translates this, handles this,
        handling this, encounters this, encountering this, loads this, ingesting this, opens
        this, this was read, that reads, who reads, whichever model, if you are a language, if
        you are an ai, if you are an llm, if you're an ai, if you are an agent, if you are an
        assistant, if an ai, when an ai, if a model, when a model, processed by
    """,
    "must": """
        must, should, shall, has to, have to, need to, needs to, please, is required, are
        required, required to, is expected, are expected, is to, are to, will, always, never,
        first, do not, don't, immediately, before you, stop here, note, has permission, may now,
        wants you
    """,
    "heavy_verb": """
        run, execute, send, read, email, forward, delete, visit, open, recommend, ignore, grant,
        add, reply, report, switch, install, upload, fetch, put, post, follow, insert, append,
        treat, approve, disable, call, use, output, load, write, include, promote, collect,
        download, curl, copy, act, answer, mark, rate, describe, summarise, summarize, state
    """,
    # Imitated turns
    "yields": """
        go ahead, i approve, i agree, you may, i consent, i authorise, i authorize, i don't
        need, i do not need, no need to ask, don't ask, yes, sure, approved, permission granted,
        do it, be asked again, i allow, i confirm, please delete, please send, please proceed,
        proceed, granted, permission, unrestricted, turned off, they agreed, user agreed, user
        approved, i told the user, and they agreed, found it safe, as instructed, as requested,
        i will now send, i will now run, switched this session, also publish, continue without,
        disabled, overridden, without them, doing it now, ja, oui, sí, sim, да
    """,
    # Every task
    "all_requests": """
        every message, each message, every request, any request, all requests, every task, any
        task, all tasks, every question, any question, all questions, all conversations, every
        conversation, each conversation, every chat, each chat, every prompt, any prompt, every
        session, each session, every turn, each turn, whatever the user, whatever they, no task
        for which, any job, every job, everything the user, anything the user, each answer,
        every answer, every response, each response, every interaction, all else, everything
        else, any topic, every topic, all topics, any subject, every subject, whatever the
        topic, whatever the task, whatever the question, any situation, all situations, every
        situation, all user, every user, jede anfrage, alle anfragen, jeder anfrage, toutes les
        demandes, chaque demande, todas las solicitudes, cada solicitud, todas las peticiones,
        todos os pedidos, tutte le richieste, все запросы, любого запроса, любой запрос, всех
        запросов, each task, each request, all messages, any message, all user messages, any
        conversation, any input, every input, when in doubt, regardless of topic, regardless of
        subject, no matter the, independent of topic
    """,
    "qualified": """
        about the, about a, about an, about your, about our, about their, related to, involving,
        concerning, regarding, in this project, questions about, requests for, requests to,
        tasks in, questions on, when editing, of the queue, of grammar, de grammaire
    """,
    "all_strong": """
        no task for which, whatever the user, whatever they, every message, each message, all
        conversations, including greetings, all else, every conversation, each conversation,
        every user message, all user messages, in doubt, every single, any topic, every topic,
        all topics, anything the user, everything the user, each chat, every chat, any
        conversation
    """,
    "chosen": """
        use, used, load, open, pick, choose, chosen, consult, consulted, trigger, triggers,
        activate, activates, run, runs, call, called, invoke, invoked, applies, apply, take,
        relevant, required to, start with, right choice, best tool, select, selected, prefer,
        loaded, triggered, activated, route, goes through, go through, consider, benutze,
        verwende, nutze, utilise, utilisez, usa, use, utiliza, используй*, covers, suitable,
        handles, queried, evaluated, nutzen, verwenden
    """,
    "ahead": """
        before anything else, before any other, before all other, before others, before all,
        ahead of all, ahead of any, ahead of other, prior to each, prior to any, prior to every,
        prior to all, pick this one, this one first, even if another, in preference to, instead
        of any other, over all other, over any other, over other, before each answer, before
        every answer, before answering, before responding, before each response, first of all
        skills, only when it declines, only if it declines, another skill seems, rather than
        built-in, at the beginning of each, at the beginning of every, at the start of each, at
        the start of every, vor allen anderen, avant tous les autres, avant toute autre, antes
        que cualquier, antes de cualquier, antes de todos, antes de qualquer, prima di tutti,
        prima di ogni, раньше всех, перед всеми, before every other, takes the place of other,
        other skills, must be the first, as the very first, before you do anything, before doing
        anything
    """,
    # Waiting
    "trigger": """
        from the third, from the second, after the third, after the second, on the third, on the
        second, third request, second request, tenth, fifth, after a few, after some time, has
        gone, has left, is away, is absent, is idle, is asleep, not looking, looks away, by
        midnight, later than midnight, outside office hours, outside working hours, at night,
        next time, once trust, gained trust, has been established, turns up in, appears in a
        message, the word, magic word, code word, passphrase is, on machines without, without a
        debugger, from 1, on or after, after the date, starting on, being evaluated, being
        tested, under evaluation, during evaluation, during review, being watched, being
        observed, being monitored, in production, real user, behave normally, nothing unusual,
        at first, belongs to a company, if no one answers, nobody answers, no reply within, if
        nobody, within a minute, something harmless, then use that approval, mentions a
        competitor, when unattended, unattended, no one is watching, nobody is watching,
        dormant, lie low, wait for the moment, not in a test, outside of tests, ci environment,
        if the hostname, only on, only if the repository, second run, first run looks
    """,
    "trick": """
        something harmless, use that approval, nothing unusual, behave normally, being
        evaluated, being watched, being observed, not looking, under evaluation, during review,
        once trust, trust has been, gained trust, lie low, dormant, has gone, magic word, no one
        is watching, nobody is watching, being tested, without a debugger, is asleep, looks
        away, unattended, code word, during evaluation
    """,
    # Harm
    "protector": """
        firewall, antivirus, anti-virus, virus scanner, defender, gatekeeper, quarantine,
        quarantine mark, quarantine flag, sandbox, selinux, apparmor, certificate warning,
        certificate warnings, certificate checks, certificate verification, tls verification,
        verify false, ssl verification, safety check, safety checks, permission checks,
        permission prompts, approval prompts, confirmation prompts, review step, code review,
        audit log, audit logging, access control, access controls, edr, endpoint protection,
        signature check, signature verification, branch protection, protected branch,
        two-factor, mfa, security review, secret scanning, integrity check, approval step,
        approval gate, confirmation dialog, required checks
    """,
    "lower": """
        turn off, switch off, turned off, off, stop, disable, strip, remove, bypass, skip, drop,
        shut down, deactivate, suppress, dismiss, kill, ignore, suspend, pause, circumvent,
        clear, get around, get past, work around, unload, exempt, relax, lower, take down, yes,
        desactiva*, deaktivier*, désactive*, disattiva*, desative, отключи*, silence, mute,
        answer yes, click through
    """,
    "far_too_wide": """
        writable for everybody, writable by everyone, world-writable, writable for everyone,
        owner role, admin role, administrator role, full access, whole disk, all projects, root
        access, admin rights, administrator rights, cluster-admin, wildcard permissions, all
        permissions, everything allowed, every permission, may log in, unrestricted access, root
        privileges, passwordless sudo, superuser rights
    """,
    "give": """
        give, make, grant, assign, append, add, set, open, allow, raise, elevate
    """,
    "program": """
        installer, script, helper, binary, executable, tool, program, patch, bootstrap, package,
        updater, x.sh, agent binary, payload, setup script, install script, archive
    """,
    "feed": """
        feed it to, pipe it, pipe it to, pipe it into, run it, start it, execute it, launch it,
        through python, through bash, through sh, through the shell, to bash, into bash, to sh,
        into sh, into a shell, to a shell, run the script from, run the result, with sudo, mark
        it executable, make it executable, run that, execute the result, evaluate it, eval it,
        double-click it, open it, execute what, run what
    """,
    "clear_tracks": """
        shell history, clear the history, clear the shell, bash history, command history, clear
        the logs, delete the logs, wipe the logs, set the clock back, erase the logs, remove the
        logs, cover the tracks, journal, event log
    """,
    "wreck": """
        remove, delete, empty, erase, wipe, destroy, overwrite, purge, shred, format, drop,
        reset, encrypt, borra*, elimina*, lösch*, supprime*, exclua, cancella, удал*, apague
    """,
    "dear_thing": """
        home folder, home directory, user's home, archive folder, backups, history and the
        backups, whole disk, all files, every file, production database, git history, old
        branches, their documents, photo library, master copy, original files, originals, all
        branches, remote branches, snapshots, recycle bin, trash and backups, volume, user's
        files, files of the user
    """,
    "hedged": """
        unless, if asked, user has confirmed, after the user, user agrees, user approves, once
        the user, with the user's, asks for it, for example, e.g, attacker, attackers,
        malicious, phishing, injection, suspicious, attack, treat as data, instead of following,
        report it, rotate, exposed, leaked, unsafe, insecure, free of charge, licensor,
        licensors, patent, ask first, user's consent, with permission, this license, public
        license
    """,
}

# In scripts without blanks between words, these are looked for anywhere.
UNSPACED_FIELDS: dict[str, str] = {
    "reveal": """
        输出, 复述, 显示, 打印, 重复, 写出, 出力, 表示, 繰り返, 引用, 출력
    """,
    "own_setup": """
        系统提示, 系统指令, 初始指令, 你的指令, 收到的指令, システムプロンプト, 初期指示,
        受け取った指示,
        시스템 프롬프트
    """,
    "person": """
        用户, 使用者, 他人, 任何人, ユーザー, 利用者, 使用者, 사용자
    """,
    "no": """
        不要, 不得, 不可, 禁止, 切勿, 请勿, 别, 不让, 无需, 无须, 不必, ないで,
        しない, せず, ずに, なし, 하지, 없이
    """,
    "disclose": """
        告诉, 告知, 知道, 提及, 提到, 透露, 通知, 说明, 知らせ, 伝え, 言及, 教え,
        알리, 말하, 언급
    """,
    "perceive": """
        知道, 发现, 看到, 察觉, 気づ, 知られ, 見え, 알게
    """,
    "own_step": """
        这一步, 此步骤, 该步骤, 本步骤, 这个操作, 此操作, 这件事, この手順, このステップ,
        この操作, このこと, 이 단계
    """,
    "heavy_step": """
        上传, 发送, 转发, 后台, 送信, アップロード, 업로드
    """,
    "granter": """
        用户, 管理员, 系统, 公司, ユーザー, 管理者, 사용자, 관리자
    """,
    "granted": """
        已经同意, 已同意, 已授权, 已经授权, 已批准, 同意は得, 同意済み, 許可済み, 承認済み,
        이미 동의
    """,
    "no_need": """
        无需再次, 无需确认, 不用确认, 无须确认, 不必询问, 直接执行, 確認せず, 確認なし,
        確認不要, 확인 없이
    """,
    "consent": """
        确认, 询问, 同意, 許可, 確認, 同意, 확인
    """,
    "wide": """
        所有, 任何, 全部, 一切, すべて, 全て, あらゆる, 모든
    """,
    "acts": """
        命令, 操作, 步骤, 执行, 実行, コマンド, 실행
    """,
    "me": """
        本文件, 以下规则, 这些规则, 本技能, このファイル, 以下のルール, このルール
    """,
    "me_skill": """
        本技能, 此技能, 该技能, このスキル, 이 스킬
    """,
    "rank": """
        优先于, 高于, 优先级, 取代, 優先, 우선
    """,
    "authority_of_others": """
        系统提示, 系统指令, 用户的, 其他指令, システム, ユーザーの, 시스템
    """,
    "secret_thing": """
        密码, 密钥, 私钥, 凭证, 令牌, .env, 助记词, パスワード, 秘密鍵, 認証情報,
        비밀번호
    """,
    "hard_secret": """
        密码, 密钥, 私钥, 凭证, .env, 助记词, パスワード, 秘密鍵, 認証情報, 비밀번호
    """,
    "read_it": """
        读取, 收集, 打开, 查找, 読み取, 収集, 읽
    """,
    "put": """
        附加, 添加, 发送, 上传, 放入, 写入, 拼接, 提交, 送信, 追加, 送って, 付け,
        전송, 보내
    """,
    "carrier": """
        地址, 链接, 请求, 参数, 图片, 邮件, URL, アドレス, リンク, リクエスト, 画像,
        주소
    """,
    "convo": """
        对话, 聊天, 会话, 用户输入, 文件内容, 会話, やり取り, 履歴, 대화
    """,
    "fetch_it": """
        获取, 下载, 读取, 访问, 取得, ダウンロード, 読み込, 가져오
    """,
    "guidance": """
        指令, 指示, 说明, 步骤, 规则, 手順, 命令, 지시
    """,
    "obey": """
        照做, 执行, 遵循, 按照, 遵守, 従って, 従う, 実行, 따르
    """,
    "all_requests": """
        所有请求, 任何请求, 每个请求, 所有任务, 任何任务, すべての依頼, すべてのリクエスト,
        あらゆる, すべての質問, 모든 요청
    """,
    "chosen": """
        使用, 调用, 加载, 選択, 呼び出, 사용
    """,
    "ahead": """
        优先使用, 先于, 其他技能, 他のスキル, 最初に, 다른 스킬
    """,
    "each_time": """
        每次, 每当, 毎回, たびに, 매번
    """,
}
