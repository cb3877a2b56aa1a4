"""What is asked for: other meanings, texts elsewhere, every task, waiting, harm."""

from __future__ import annotations

ORDERS: dict[str, str] = {
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
