import { Command } from 'commander';
import { CliError, type CliIo, EXIT } from '../cli-io.ts';
import { printJson, withExample, withJson } from '../command-options.ts';
import { printable } from '../printable.ts';

const DEFAULT_RULES = 'alerts/rules';

interface Options {
  readonly json?: true;
}

function checkCommand(io: CliIo): Command {
  const command = new Command('check')
    .description('Name all problems of rule files, with their lines')
    .argument('[files...]', 'files, and folders of *.yaml', [DEFAULT_RULES])
    .action(async (files: readonly string[], { json }: Options) => {
      const { checkRules } = await import('../../alerter/check-rules.ts');
      const { rules, problems } = await checkRules(files);
      const names = [...rules.keys()];
      if (json) printJson(io, { rules: names, problems });
      else if (problems.length === 0) io.out(`${names.length} rules are fine\n`);
      for (const { file, line, column, rule, message } of json ? [] : problems) {
        const text = `${file}:${line}:${column} ${rule === undefined ? '' : `${rule}: `}${message}`;
        io.err(`${printable(text)}\n`);
      }
      if (problems.length === 0) return;
      const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
      throw new CliError(EXIT.found, json ? '' : `${names.length} rules are fine; ${count} beside`);
    });
  return withExample(withJson(command), 'tollgate rules check alerts/rules');
}

function testCommand(io: CliIo): Command {
  const command = new Command('test')
    .description('Play tests of rules in virtual time: what must fire, and when there is silence')
    .argument('<files...>', 'files of tests')
    .action(async (files: readonly string[], { json }: Options) => {
      const { testRules } = await import('../../alerter/test-rules.ts');
      const results = await testRules(files);
      const failed = results.filter(({ failures }) => failures.length > 0);
      if (json) printJson(io, { tests: results.length, failed: failed.length, results });
      for (const { file, test, failures } of json ? [] : results) {
        const name = test === undefined ? file : `${file}: ${test}`;
        io.out(`${failures.length === 0 ? 'ok  ' : 'FAIL'} ${printable(name)}\n`);
        for (const failure of failures) io.out(`       ${printable(failure)}\n`);
      }
      if (!json) io.out(`${results.length - failed.length} passed, ${failed.length} failed\n`);
      if (failed.length > 0) throw new CliError(EXIT.found, '');
    });
  return withExample(withJson(command), 'tollgate rules test alerts/tests/*.yaml');
}

function schemaCommand(io: CliIo): Command {
  const command = new Command('schema')
    .description('Print the JSON schema of rule files, for editors')
    .action(async () => {
      const { ruleFileSchema } = await import('../../alerter/rule-file-schema.ts');
      printJson(io, ruleFileSchema());
    });
  return withExample(command, 'tollgate rules schema > alerts/rule.schema.json');
}

/** `tollgate rules check|test|schema`. Asks no running Tollgate and opens no store. */
export function rulesCommand(io: CliIo): Command {
  const command = new Command('rules').description('Check and test the rules of alerts');
  command.addCommand(checkCommand(io)).addCommand(testCommand(io)).addCommand(schemaCommand(io));
  return withExample(command, 'tollgate rules check');
}
