import { writeDocs } from '../tools/docs/write-docs';

/** `npm run docs`: writes the generated sections of the pages and of doc comments. */
void writeDocs();
