/* SPDX-License-Identifier: MIT */
/* completion: shell scripts that complete jobfleet's command lines. They ask the program itself
 * (completion candidates), so that they never know less than it does. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/ctl/args.h"
#include "workers/ctl/candidates.h"
#include "workers/ctl/ctl.h"

/* COMP_LINE is split here because bash also splits words at '='. */
static const char BASH[] =
	"# jobfleet's completion for bash: source <(jobfleet completion bash)\n"
	"_jobfleet() {\n"
	"	local words cur='' line=${COMP_LINE:0:COMP_POINT}\n"
	"	read -ra words <<<\"$line\"\n"
	"	if [[ $line != *[[:space:]] ]]; then\n"
	"		cur=${words[-1]}\n"
	"		unset 'words[-1]'\n"
	"	fi\n"
	"	mapfile -t COMPREPLY < <(\"${words[0]}\" completion candidates --"
	" \"${words[@]:1}\" \"$cur\" 2>/dev/null)\n"
	"	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then\n"
	"		compopt -o nospace 2>/dev/null\n"
	"	fi\n"
	"	if [[ $cur == *=* && $COMP_WORDBREAKS == *=* ]]; then\n"
	"		COMPREPLY=(\"${COMPREPLY[@]#\"${cur%%=*}=\"}\")\n"
	"	fi\n"
	"}\n"
	"complete -o default -F _jobfleet jobfleet\n";

static const char ZSH[] =
	"#compdef jobfleet\n"
	"# jobfleet's completion for zsh: source <(jobfleet completion zsh), or _jobfleet in $fpath\n"
	"_jobfleet() {\n"
	"	local -a found\n"
	"	found=(\"${(@f)$(\"${words[1]}\" completion candidates -- \"${(@)words[2,CURRENT-1]}\""
	" \"${words[CURRENT]}\" 2>/dev/null)}\")\n"
	"	found=(${found:#})\n"
	"	if (( ! ${#found} )); then\n"
	"		_files\n"
	"		return\n"
	"	fi\n"
	"	compadd -S '' -- ${(M)found:#*=}\n"
	"	compadd -- ${found:#*=}\n"
	"}\n"
	"if [[ ${funcstack[1]} == _jobfleet ]]; then\n"
	"	_jobfleet \"$@\"\n"
	"else\n"
	"	compdef _jobfleet jobfleet\n"
	"fi\n";

/* A file that the line names is the one whose names are offered. */
static const char *config_of(char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strncmp(words[i], "--config=", 9) == 0)
			return words[i] + 9;
		if (strcmp(words[i], "--config") == 0 && i + 1 < n)
			return words[i + 1];
	}
	return NULL;
}

/* A wrong queues.conf costs the names, and says nothing: somebody is typing. */
static int candidates(struct ctl *c, char **words)
{
	const struct conf *conf = NULL;
	const char *config;
	size_t n = 0;

	while (words[n])
		n++;
	if (n == 0)
		return CTL_OK;
	config = config_of(words, n - 1);
	c->config = config ? config : c->config;
	if (ctl_conf(c, &conf, NULL) < 0)
		conf = NULL;
	candidates_print(conf, words, n - 1, words[n - 1], stdout);
	return CTL_OK;
}

int completion_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = { CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "completion bash|zsh",
		.about =
			"Prints a script that completes commands, options and the names of queues"
			" and tasks:\n"
			"\n"
			"    source <(jobfleet completion bash)      in ~/.bashrc\n"
			"    source <(jobfleet completion zsh)       in ~/.zshrc, after compinit\n"
			"\n"
			"The scripts ask completion candidates -- WORD... TYPED, which prints what"
			" may stand where\n"
			"TYPED stands, one a line.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = -1,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (strcmp(operands[0], "candidates") == 0)
		return candidates(c, operands + 1);
	if (operands[1])
		return err_set(e, ERR_USAGE, "\"%.40s\" is one too many; usage: jobfleet %s",
			       operands[1], args.usage);
	if (strcmp(operands[0], "bash") == 0)
		fputs(BASH, stdout);
	else if (strcmp(operands[0], "zsh") == 0)
		fputs(ZSH, stdout);
	else
		return err_set(e, ERR_USAGE, "no completion for %.40s; there is bash and zsh",
			       operands[0]);
	return CTL_OK;
}
