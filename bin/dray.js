#!/usr/bin/env node
// The command `dray`.
import { launch } from './launch.js';

launch('src/cmd/main.ts', process.argv.slice(2));
